# SPDX-License-Identifier: GPL-2.0-or-later
# Puts another Session Manager in the place of the one that this build tree links.
#
# `cargo xtask install --tree` has written this file, and has CMake include it behind `project()`; `--undo` takes both out again. The tree's
# own smss is still compiled and linked, so its errors still show. The copy is the last of the commands behind the link, whatever else the
# tree does there: that is why it waits for the end of the directory in which the target is made.
set(SMSS_IMAGE "@IMAGE@")

function(smss_after_link)
    set_property(TARGET smss APPEND PROPERTY LINK_DEPENDS "${SMSS_IMAGE}")
    add_custom_command(TARGET smss POST_BUILD
        COMMAND "${CMAKE_COMMAND}" -E copy "${SMSS_IMAGE}" "$<TARGET_FILE:smss>"
        COMMENT "smss.exe: ${SMSS_IMAGE} in its place (cargo xtask install --undo)"
        VERBATIM)
endfunction()

# The first command that is sure to be called where the target is made.
function(target_link_libraries target)
    _target_link_libraries(${ARGV})
    get_property(seen GLOBAL PROPERTY SMSS_AFTER_LINK)
    if(target STREQUAL "smss" AND NOT seen)
        set_property(GLOBAL PROPERTY SMSS_AFTER_LINK TRUE)
        cmake_language(DEFER CALL smss_after_link)
    endif()
endfunction()

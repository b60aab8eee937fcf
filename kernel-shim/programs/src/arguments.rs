// SPDX-License-Identifier: GPL-2.0-or-later
//! A program's arguments: what follows the program's own name on its command line, split at blanks
//! (spec 1.2).

use nt::UnicodeStr;
use nt::system::ImageSubsystem;

/// The words of `command_line` after the first, which names the program. There is no quoting.
pub fn words(command_line: UnicodeStr<'_>) -> impl Iterator<Item = UnicodeStr<'_>> + Clone {
    command_line
        .units()
        .split(|&unit| unit <= 0x20)
        .filter(|word| !word.is_empty())
        .map(UnicodeStr)
        .skip(1)
}

/// What follows the first `count` words of `command_line`, blanks inside kept.
pub fn after(command_line: UnicodeStr<'_>, count: usize) -> UnicodeStr<'_> {
    let blanks = |text: UnicodeStr<'_>| {
        text.units()
            .iter()
            .position(|&unit| unit > 0x20)
            .unwrap_or(text.len())
    };
    let mut rest = command_line.skip(blanks(command_line));
    for _ in 0..count {
        let word = rest
            .units()
            .iter()
            .position(|&unit| unit <= 0x20)
            .unwrap_or(rest.len());
        rest = rest.skip(word);
        rest = rest.skip(blanks(rest));
    }
    rest
}

/// A number in the given base; `None` for anything else.
pub fn number(text: UnicodeStr<'_>, base: u32) -> Option<u32> {
    if text.is_empty() {
        return None;
    }
    text.units().iter().try_fold(0u32, |value, &unit| {
        let digit = char::from_u32(u32::from(unit))?.to_digit(base)?;
        value.checked_mul(base)?.checked_add(digit)
    })
}

/// The value of a word `name=value`, the name compared without regard to case.
pub fn option<'a>(command_line: UnicodeStr<'a>, name: &str) -> Option<UnicodeStr<'a>> {
    words(command_line).find_map(|word| {
        let equals = word.find(b'=')?;
        word.take(equals)
            .eq_ascii(name)
            .then(|| word.skip(equals + 1))
    })
}

/// The image type that a server's `SubSystemType=` names (spec 9.5), by name or by number.
pub fn image_type(command_line: UnicodeStr<'_>) -> Option<ImageSubsystem> {
    let value = option(command_line, "SubSystemType")?;
    let windows = option(command_line, "Windows").is_some_and(|value| value.eq_ascii("On"));
    let known = [
        (
            "Windows",
            if windows {
                ImageSubsystem::WINDOWS_GUI
            } else {
                ImageSubsystem::WINDOWS_CUI
            },
        ),
        ("posix", ImageSubsystem::POSIX_CUI),
        ("os2", ImageSubsystem::OS2_CUI),
        ("native", ImageSubsystem::NATIVE),
    ];
    let named = known.iter().find(|(name, _)| value.eq_ascii(name));
    Some(named.map_or_else(
        || ImageSubsystem(number(value, 10).unwrap_or(0)),
        |(_, known)| *known,
    ))
}

#[cfg(test)]
mod tests {
    use super::*;
    use nt::wide;

    #[test]
    fn words_options_and_the_rest_of_the_line() {
        let line = wide!("x\\csrss.exe ObjectDirectory=\\Windows  Windows=On  a b");
        assert_eq!(words(line).count(), 4);
        assert_eq!(option(line, "objectdirectory"), Some(wide!("\\Windows")));
        assert_eq!(option(line, "nothing"), None);
        assert_eq!(after(wide!(" p  one two  three"), 2), wide!("two  three"));
        assert_eq!(after(wide!("p"), 3), UnicodeStr::EMPTY);
    }

    #[test]
    fn an_image_type_by_name_and_by_number() {
        for (line, wanted) in [
            (
                wide!("p SubSystemType=Windows Windows=On"),
                Some(ImageSubsystem::WINDOWS_GUI),
            ),
            (
                wide!("p SubSystemType=Windows"),
                Some(ImageSubsystem::WINDOWS_CUI),
            ),
            (
                wide!("p SubSystemType=POSIX"),
                Some(ImageSubsystem::POSIX_CUI),
            ),
            (wide!("p SubSystemType=7"), Some(ImageSubsystem(7))),
            (wide!("p SubSystemType=x"), Some(ImageSubsystem::UNKNOWN)),
            (wide!("p"), None),
        ] {
            assert_eq!(image_type(line), wanted);
        }
    }

    #[test]
    fn numbers_do_not_wrap() {
        assert_eq!(number(wide!("ffffffff"), 16), Some(u32::MAX));
        assert_eq!(number(wide!("100000000"), 16), None);
        assert_eq!(number(wide!("12x"), 10), None);
        assert_eq!(number(UnicodeStr::EMPTY, 10), None);
    }
}

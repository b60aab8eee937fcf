// SPDX-License-Identifier: GPL-2.0-or-later
//! Where a program is looked for: the directories of a search path (spec 8.1).
//!
//! A relative name is tried in every `;` part of the path, with `.exe` added unless there is a dot
//! anywhere in it; an empty part stands for the current directory. Any other name must exist as it
//! is. A candidate longer than a DOS path may be does not exist.

use nt::path::{self, FullPaths, Kind, MAX_DOS, MAX_NT};
use nt::{Result, Status, UnicodeBuf, UnicodeStr, wide};

/// A program that was found.
#[derive(Clone, Debug, Default)]
pub struct Program {
    /// NT path of the file: `\??\C:\ReactOS\system32\x.exe`.
    pub path: UnicodeBuf<MAX_NT>,
    /// DOS path of its directory, without a final separator: `C:\ReactOS\system32`.
    pub directory: UnicodeBuf<MAX_DOS>,
}

/// Whether a file whose attributes could be asked for with this result is there. One that is busy
/// or not ours to see counts only if `even_busy`.
pub fn exists(answer: Result<()>, even_busy: bool) -> bool {
    match answer {
        Ok(()) => true,
        Err(Status::SHARING_VIOLATION | Status::ACCESS_DENIED) => even_busy,
        Err(_) => false,
    }
}

/// Looks for `program` along `search_path`, and puts it where `found` is if it is somewhere: whether it
/// is. `query` asks for the attributes of an NT path.
pub fn search(
    search_path: UnicodeStr<'_>,
    program: UnicodeStr<'_>,
    paths: impl FullPaths,
    found: &mut Program,
    mut query: impl FnMut(UnicodeStr<'_>) -> Result<()>,
) -> bool {
    if path::kind(program) != Kind::Relative {
        return found.take_name(program, paths).is_ok() && exists(query(found.path.as_str()), true);
    }
    let extension = if program.find(b'.').is_none() {
        wide!(".exe")
    } else {
        UnicodeStr::EMPTY
    };
    let mut rest = search_path;
    loop {
        let end = rest.find(b';').unwrap_or(rest.len());
        let mut name = UnicodeBuf::<MAX_DOS>::new();
        if candidate(&mut name, [rest.take(end), program, extension]).is_ok()
            && found.take_name(name.as_str(), paths).is_ok()
            && exists(query(found.path.as_str()), false)
        {
            return true;
        }
        rest = rest.skip(end + 1);
        // What follows the last `;` is a part only if it is not empty.
        if rest.is_empty() {
            return false;
        }
    }
}

fn candidate(
    name: &mut UnicodeBuf<MAX_DOS>,
    [part, program, extension]: [UnicodeStr<'_>; 3],
) -> Result<()> {
    name.push(part)?;
    if part.last().is_some_and(|last| !path::is_separator(last)) {
        name.push(wide!("\\"))?;
    }
    name.push(program)?;
    name.push(extension)
}

impl Program {
    /// Becomes the program with this DOS name. After an error it is none.
    fn take_name(&mut self, dos: UnicodeStr<'_>, paths: impl FullPaths) -> Result<()> {
        paths.full_path(dos, &mut self.directory)?;
        let full = self.directory.as_str();
        path::nt_name(full, &mut self.path)?;
        let directory = path::directory(full).len();
        self.directory.truncate(directory);
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use nt::path::CurrentDirectory;
    use proptest::prelude::*;
    use std::format;
    use std::string::{String, ToString};
    use std::vec::Vec;

    fn found(path: &str, program: &str, files: &[(&str, Status)]) -> (Option<String>, Vec<String>) {
        let mut asked = Vec::new();
        let units = |text: &str| text.encode_utf16().collect::<Vec<u16>>();
        let mut image = Program::default();
        let is_there = search(
            UnicodeStr(&units(path)),
            UnicodeStr(&units(program)),
            CurrentDirectory(wide!("C:\\R")),
            &mut image,
            |name| {
                let name = name.to_string();
                let answer = files
                    .iter()
                    .find(|(file, _)| *file == name)
                    .map_or(Err(Status::OBJECT_NAME_NOT_FOUND), |(_, status)| {
                        status.ok()
                    });
                asked.push(name);
                answer
            },
        );
        (
            is_there.then(|| format!("{}|{}", image.path, image.directory)),
            asked,
        )
    }

    #[test]
    fn every_part_is_tried_with_exe_added() {
        let (image, asked) = found(
            "C:\\R\\bin;C:\\R\\System32",
            "autochk",
            &[("\\??\\C:\\R\\System32\\autochk.exe", Status::SUCCESS)],
        );
        assert_eq!(
            image.as_deref(),
            Some("\\??\\C:\\R\\System32\\autochk.exe|C:\\R\\System32")
        );
        assert_eq!(
            asked,
            [
                "\\??\\C:\\R\\bin\\autochk.exe",
                "\\??\\C:\\R\\System32\\autochk.exe"
            ]
        );
    }

    #[test]
    fn a_dot_anywhere_suppresses_exe() {
        let files = [("\\??\\C:\\R\\a.b.exe", Status::SUCCESS)];
        assert_eq!(found("C:\\R", "a.b", &files).0, None);
        assert_eq!(
            found("C:\\R", "a.b.exe", &files).0.as_deref(),
            Some("\\??\\C:\\R\\a.b.exe|C:\\R")
        );
    }

    #[test]
    fn an_empty_part_is_the_current_directory_but_not_after_the_last_semicolon() {
        assert_eq!(
            found(";C:\\x\\;", "p", &[]).1,
            ["\\??\\C:\\R\\p.exe", "\\??\\C:\\x\\p.exe"]
        );
    }

    #[test]
    fn an_absolute_name_must_exist_as_it_is_even_if_busy() {
        let files = [("\\??\\C:\\x", Status::SHARING_VIOLATION)];
        assert_eq!(
            found("C:\\R", "C:\\x", &files).0.as_deref(),
            Some("\\??\\C:\\x|C:")
        );
        assert_eq!(found("C:\\R", "\\y", &files).1, ["\\??\\C:\\y"]);
        assert_eq!(
            found("C:\\", "x.", &[("\\??\\C:\\x", Status::ACCESS_DENIED)]).0,
            None,
            "a relative name does not count while busy"
        );
    }

    #[test]
    fn a_path_of_more_than_260_units_does_not_exist() {
        let (image, asked) = found(&format!("C:\\{};C:\\R", "d".repeat(260)), "p", &[]);
        assert_eq!((image, asked.len()), (None, 1));
    }

    proptest! {
        #[test]
        fn any_path_and_program_give_names_below_the_dos_devices(
            path in prop::collection::vec(prop_oneof![Just(u16::from(b';')), Just(u16::from(b'\\')), Just(u16::from(b':')), 0x2Du16..0x50], 0..80),
            program in prop::collection::vec(prop_oneof![Just(u16::from(b'.')), Just(u16::from(b'\\')), 0x21u16..0x60], 1..20),
            there in 0usize..6,
        ) {
            let (mut asked, mut program_found) = (0, Program::default());
            let found = search(UnicodeStr(&path), UnicodeStr(&program), CurrentDirectory(wide!("C:\\R")), &mut program_found, |name| {
                assert!(name.starts_with_ascii("\\??\\") && name.len() <= MAX_NT);
                asked += 1;
                if asked > there { Ok(()) } else { Err(Status::OBJECT_NAME_NOT_FOUND) }
            });
            prop_assert!(asked <= path.iter().filter(|&&unit| unit == u16::from(b';')).count() + 1);
            prop_assert_eq!(found, asked > there);
        }
    }
}

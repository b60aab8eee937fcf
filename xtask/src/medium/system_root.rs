// SPDX-License-Identifier: GPL-2.0-or-later
//! In which folder of a user's volume the system is: `\ReactOS`, `\WINDOWS`, `\WINNT`, or what they
//! called it.
//!
//! A real loader knows from its configuration. Here what the user says counts first, then the
//! default entry of a `boot.ini` or `freeldr.ini`, then the SOFTWARE hive that was given, then the
//! only folder that holds a registry or a Session Manager. Two of those without a word which one it
//! is are not guessed about.

use anyhow::{Result, bail};
use formats::hive::Hive;
use formats::utf16;
use nt::UnicodeStr;
use std::fmt;
use std::str::FromStr;

/// A folder of a volume, such as `\WINDOWS`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SystemRoot(String);

impl Default for SystemRoot {
    fn default() -> Self {
        Self(plan::SYSTEM_PATH.to_owned())
    }
}

impl fmt::Display for SystemRoot {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str(&self.0)
    }
}

impl FromStr for SystemRoot {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let path = text.replace('/', "\\");
        let path = without_drive(&path).trim_matches('\\');
        let wrong = |name: &str| {
            name.is_empty()
                || name.starts_with('.')
                || name.contains([':', '*', '?', '"', '<', '>'])
        };
        if path.split('\\').any(wrong) {
            return Err(format!(
                "`{text}` is no folder of a volume, such as \\WINDOWS"
            ));
        }
        // It becomes a word of the kernel's command line.
        if !path.chars().all(|letter| letter.is_ascii_graphic()) {
            return Err(format!(
                "`{text}` has a blank or a letter that is not ASCII in it"
            ));
        }
        if path.len() > LONGEST {
            return Err(format!("`{text}` is longer than {LONGEST} letters"));
        }
        Ok(Self(format!("\\{path}")))
    }
}

/// What the kernel's command line takes, in letters.
const LONGEST: usize = 60;

impl SystemRoot {
    /// From a backslash on.
    pub fn path(&self) -> &str {
        &self.0
    }

    /// With `/` between names, as [`Tree`](super::tree::Tree) has its paths.
    pub fn place(&self) -> String {
        self.0.trim_start_matches('\\').replace('\\', "/")
    }

    /// The word of the kernel's command line, if it needs one.
    pub fn word(&self) -> Option<String> {
        (*self != Self::default()).then(|| format!("systemroot={}", self.0))
    }
}

/// A volume that is looked at. Names have no case; paths have `/` between names.
pub trait Volume {
    /// The folders at its top.
    ///
    /// # Errors
    /// What cannot be read.
    fn folders(&self) -> Result<Vec<String>>;

    /// The content of a file; none if there is none.
    ///
    /// # Errors
    /// What cannot be read.
    fn file(&self, path: &str) -> Result<Option<Vec<u8>>>;

    /// Whether there is a folder of this path.
    ///
    /// # Errors
    /// What cannot be read.
    fn has_folder(&self, path: &str) -> Result<bool>;
}

/// Where the system is on a volume; the default place if nothing on it says so. `shown` is what the user calls the volume.
///
/// # Errors
/// What was asked for is not there; several folders that may be it; what cannot be read.
pub fn find(
    volume: &dyn Volume,
    shown: &dyn fmt::Display,
    asked: Option<&SystemRoot>,
    software: Option<&Hive>,
) -> Result<SystemRoot> {
    if let Some(root) = asked {
        if !volume.has_folder(&root.place())? {
            bail!("{shown} has no folder {root}");
        }
        return Ok(root.clone());
    }
    if let Some(root) = of_loader(volume)? {
        return Ok(root);
    }
    if let Some(root) = software.and_then(of_software)
        && volume.has_folder(&root.place())?
    {
        return Ok(root);
    }
    for file in ["config/SYSTEM", "smss.exe"] {
        let mut found = Vec::new();
        for folder in volume.folders()? {
            if volume.file(&format!("{folder}/System32/{file}"))?.is_some() {
                found.push(folder);
            }
        }
        match found.as_slice() {
            [] => {}
            [one] => return one.parse().map_err(anyhow::Error::msg),
            several => bail!(
                "{shown} has a system in each of {}: say which one with --system-root",
                several
                    .iter()
                    .map(|folder| format!("\\{folder}"))
                    .collect::<Vec<_>>()
                    .join(", ")
            ),
        }
    }
    Ok(SystemRoot::default())
}

/// What the loader of a volume starts by default, if that is on it.
///
/// # Errors
/// What cannot be read.
pub fn of_loader(volume: &dyn Volume) -> Result<Option<SystemRoot>> {
    match loader_entry(volume)? {
        Some(root) if volume.has_folder(&root.place())? => Ok(Some(root)),
        _ => Ok(None),
    }
}

/// What a SOFTWARE hive says of the system that it belongs to.
pub fn of_software(hive: &Hive) -> Option<SystemRoot> {
    let path = utf16("Microsoft\\Windows NT\\CurrentVersion");
    let key = hive.find(hive.root(), UnicodeStr(&path))?;
    let value = hive.value(key, UnicodeStr(&utf16("SystemRoot")))?;
    let units: Vec<u16> = value
        .data
        .chunks_exact(2)
        .map(|pair| u16::from_le_bytes([pair[0], pair[1]]))
        .take_while(|unit| *unit != 0)
        .collect();
    String::from_utf16_lossy(&units).parse().ok()
}

/// The folder of the default entry of a loader's configuration.
fn loader_entry(volume: &dyn Volume) -> Result<Option<SystemRoot>> {
    let text = |name| -> Result<Option<String>> {
        let bytes: Option<Vec<u8>> = volume.file(name)?;
        Ok(bytes.map(|bytes| bytes.iter().map(|&byte| char::from(byte)).collect()))
    };
    // NT's loader, and ReactOS', which names a section.
    if let Some(text) = text("boot.ini")?
        && let Some(root) = value(&text, "boot loader", "default").and_then(of_arc_path)
    {
        return Ok(Some(root));
    }
    let Some(text) = text("freeldr.ini")? else {
        return Ok(None);
    };
    let entry = value(&text, "FREELOADER", "DefaultOS");
    Ok(entry
        .and_then(|entry| value(&text, entry, "SystemPath"))
        .and_then(of_arc_path))
}

/// The folder of `multi(0)disk(0)rdisk(0)partition(1)\WINDOWS`, whatever options follow it.
fn of_arc_path(path: &str) -> Option<SystemRoot> {
    let (_, folder) = path.trim_matches('"').split_once(")\\")?;
    folder.split([' ', '=']).next()?.parse().ok()
}

/// The value of a key in a section of an `.ini` file.
fn value<'t>(text: &'t str, section: &str, key: &str) -> Option<&'t str> {
    let mut lines = text.lines().map(str::trim);
    lines.find(|line| {
        let name = line
            .strip_prefix('[')
            .and_then(|line| line.strip_suffix(']'));
        name.is_some_and(|name| name.trim().eq_ignore_ascii_case(section))
    })?;
    lines
        .take_while(|line| !line.starts_with('['))
        .filter_map(|line| line.split_once('='))
        .find(|(name, _)| name.trim().eq_ignore_ascii_case(key))
        .map(|(_, value)| value.trim())
}

/// A path without the drive it begins with.
fn without_drive(path: &str) -> &str {
    match path.as_bytes() {
        [letter, b':', b'\\', ..] if letter.is_ascii_alphabetic() => &path[2..],
        _ => path,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::medium::supplies;
    use std::collections::BTreeMap;

    /// Files by their path in lower case.
    struct Files(BTreeMap<String, &'static str>);

    impl Files {
        fn of(files: &[(&str, &'static str)]) -> Self {
            let lower = |(path, content): &(&str, &'static str)| (path.to_lowercase(), *content);
            Self(files.iter().map(lower).collect())
        }
    }

    impl Volume for Files {
        fn folders(&self) -> Result<Vec<String>> {
            let tops = self.0.keys().filter_map(|path| path.split_once('/'));
            let mut tops: Vec<String> = tops.map(|(top, _)| top.to_owned()).collect();
            tops.dedup();
            Ok(tops)
        }

        fn file(&self, path: &str) -> Result<Option<Vec<u8>>> {
            let content = self.0.get(&path.to_lowercase());
            Ok(content.map(|content| content.as_bytes().to_vec()))
        }

        fn has_folder(&self, path: &str) -> Result<bool> {
            let below = format!("{}/", path.to_lowercase());
            Ok(self.0.keys().any(|file| file.starts_with(&below)))
        }
    }

    fn found(files: &[(&str, &'static str)]) -> Result<String, String> {
        let root = find(&Files::of(files), &"a.img", None, None);
        root.map(|root| root.to_string())
            .map_err(|error| error.to_string())
    }

    #[test]
    fn a_folder_with_a_registry_is_the_system_and_one_with_a_session_manager_if_there_is_none() {
        let is = |root: &str| Ok(root.to_owned());
        assert_eq!(found(&[]), is("\\ReactOS"));
        assert_eq!(found(&[("data/a.txt", "")]), is("\\ReactOS"));
        let windows = ("windows/system32/config/system", "");
        assert_eq!(found(&[windows]), is("\\windows"));
        let other = ("setup/system32/smss.exe", "");
        assert_eq!(found(&[other]), is("\\setup"));
        assert_eq!(found(&[other, windows]), is("\\windows"));
    }

    #[test]
    fn of_two_systems_the_loaders_default_is_meant_or_none() {
        let two = [
            ("windows/system32/config/system", ""),
            ("winnt/system32/config/system", ""),
        ];
        let told = found(&two).unwrap_err();
        assert!(
            told.contains("\\windows, \\winnt") && told.contains("--system-root"),
            "{told}"
        );
        let with = |name, text| {
            let mut files = two.to_vec();
            files.push((name, text));
            found(&files)
        };
        let ini = "[boot loader]\r\ntimeout=30\r\n\
            Default=multi(0)disk(0)rdisk(0)partition(1)\\WINNT\r\n[operating systems]\r\n\
            multi(0)disk(0)rdisk(0)partition(1)\\WINDOWS=\"Windows\" /fastdetect\r\n";
        assert_eq!(with("BOOT.INI", ini), Ok("\\WINNT".to_owned()));
        let ini = "; ours\n[FREELOADER]\nDefaultOS=Mine\n[Other]\nSystemPath=x(0)\\winnt\n\
            [mine]\nBootType=Windows2003\nSystemPath=multi(0)disk(0)rdisk(0)partition(1)\\windows\n";
        assert_eq!(with("freeldr.ini", ini), Ok("\\windows".to_owned()));
        // One that leads to another partition's folder, and one that is none.
        let gone = "[boot loader]\ndefault=multi(0)disk(0)rdisk(1)partition(1)\\WIN2K\n";
        assert!(with("boot.ini", gone).is_err());
        assert!(with("boot.ini", "default").is_err());
    }

    #[test]
    fn what_the_user_says_counts_before_all_and_must_be_there() {
        let files = Files::of(&[
            ("windows/system32/config/system", ""),
            ("old/nt/system32/a.exe", ""),
        ]);
        let asked: SystemRoot = "C:/old/NT/".parse().unwrap();
        let root = find(&files, &"a.img", Some(&asked), None).unwrap();
        assert_eq!(
            (root.path(), root.place().as_str()),
            ("\\old\\NT", "old/NT")
        );
        assert_eq!(root.word().as_deref(), Some("systemroot=\\old\\NT"));
        let gone: SystemRoot = "gone".parse().unwrap();
        let told = find(&files, &"a.img", Some(&gone), None).unwrap_err();
        assert_eq!(told.to_string(), "a.img has no folder \\gone");
        for wrong in [
            "",
            "\\",
            "C:",
            "a\\..\\b",
            "a:b",
            "two words",
            "a\\\\b",
            "ä",
        ] {
            assert!(wrong.parse::<SystemRoot>().is_err(), "{wrong}");
        }
        assert_eq!(SystemRoot::default().word(), None);
    }

    #[test]
    fn a_software_hive_says_where_its_system_is() {
        let mut hive = Hive::new(nt::wide!("SOFTWARE"));
        assert_eq!(of_software(&hive), None);
        let text = "REGEDIT4\n\n[HKEY_LOCAL_MACHINE\\SOFTWARE\\Microsoft\\Windows NT\\CurrentVersion]\n\
            \"SystemRoot\"=\"D:\\\\WINNT\"\n";
        supplies::merge(&mut hive, "SOFTWARE", text).unwrap();
        let root = of_software(&hive).unwrap();
        assert_eq!(root.path(), "\\WINNT");
        let two = Files::of(&[
            ("windows/system32/config/system", ""),
            ("winnt/system32/config/system", ""),
        ]);
        assert_eq!(find(&two, &"a.img", None, Some(&hive)).unwrap(), root);
    }
}

// SPDX-License-Identifier: GPL-2.0-or-later
//! Addresses in the serial log become functions and source lines.
//!
//! The kernel says where it maps each image (`image NAME base HEX process N`) and prints addresses
//! when something goes wrong: its own frames (`backtrace HEX ...`), the place of an exception in
//! ring 3, and the stack of the thread that ended it all (the part `user-stack`), which
//! is walked here ([`crate::unwind`]). Symbols come from the debug files beside the images. What
//! cannot be found is left out; a log is never an error.

use crate::build::Images;
use crate::paths;
use crate::serial::Reader;
use crate::unwind::{MappedImage, State};
use addr2line::Loader;
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

/// A walk that goes on for longer goes in circles.
const MOST_FRAMES: usize = 64;

/// No kernel shows a longer one, bytes.
const LONGEST_STACK: usize = 1 << 20;

/// Where the kernel is linked.
const KERNEL_BASE: u64 = 0xFFFF_FFFF_8000_0000;

/// The images of one boot.
pub struct Symbols {
    folder: PathBuf,
    kernel: PathBuf,
    images: BTreeMap<String, Option<MappedImage>>,
    loaders: BTreeMap<PathBuf, Option<Loader>>,
}

impl Symbols {
    /// For a boot of these images.
    pub fn new(images: &Images) -> Self {
        Self {
            folder: images.folder.clone(),
            kernel: images.kernel.clone(),
            images: BTreeMap::new(),
            loaders: BTreeMap::new(),
        }
    }

    /// Takes a line of the log; gives what is to be shown below it.
    pub fn take(&mut self, line: &str) -> Vec<String> {
        if let Some((name, base)) = announced(line) {
            // Only images that this project built have a debug file here.
            self.images.entry(name.clone()).or_insert_with(|| {
                MappedImage::load(&self.folder.join(format!("{name}.dbg")), base).ok()
            });
            return Vec::new();
        }
        if let Some(addresses) = line.trim().strip_prefix("backtrace ") {
            return addresses
                .split_whitespace()
                .filter_map(hexadecimal)
                .enumerate()
                .flat_map(|(n, at)| self.frame(at, n > 0))
                .collect();
        }
        if ["unhandled exception", "not handled", "kernel fault"]
            .iter()
            .any(|sign| line.contains(sign))
            && let Some(at) = line
                .split(" at ")
                .nth(1)
                .and_then(|rest| hexadecimal(rest.split([' ', ',', ':']).next()?))
        {
            return self.frame(at, false);
        }
        Vec::new()
    }

    /// Takes a line that `reader` has taken as well; gives what is to be shown below it, for marked
    /// parts too.
    pub fn follow(&mut self, line: &str, reader: &Reader) -> Vec<String> {
        if line.contains("SHIM-FINISH: user-stack") {
            return reader
                .parts
                .last()
                .map(|(_, part)| self.user_stack(part))
                .unwrap_or_default();
        }
        self.take(line)
    }

    /// Every backtrace of a boot that is over.
    pub fn of_boot(images: &Images, reader: &Reader) -> Vec<String> {
        let mut this = Self::new(images);
        let mut lines: Vec<String> = reader
            .shown
            .iter()
            .flat_map(|line| this.take(line))
            .collect();
        lines.extend(
            reader
                .parts
                .iter()
                .filter(|(name, _)| name == "user-stack")
                .flat_map(|(_, part)| this.user_stack(part)),
        );
        lines
    }

    /// The frames of the part `user-stack`, innermost first.
    pub fn user_stack(&mut self, part: &str) -> Vec<String> {
        let Some((state, stack)) = parse(part) else {
            return Vec::new();
        };
        let memory = |address| stack.word(address);
        let mut lines: Vec<String> = part
            .lines()
            .next()
            .map(|who| format!("backtrace of {who}:"))
            .into_iter()
            .collect();
        let mut state = Some(state);
        for _ in 0..MOST_FRAMES {
            let Some(frame) = state else { break };
            lines.extend(self.frame(frame.rip, frame.calls));
            let image = self
                .images
                .values()
                .flatten()
                .find(|image| image.contains(frame.at()));
            state = image.and_then(|image| image.caller(&frame, &memory));
        }
        lines
    }

    /// The lines of one frame: more than one if functions were inlined. A return address belongs to
    /// the instruction before it.
    fn frame(&mut self, address: u64, returns: bool) -> Vec<String> {
        let probe = address.saturating_sub(u64::from(returns));
        let (path, linked) = if address >= KERNEL_BASE {
            (self.kernel.clone(), probe)
        } else {
            let Some((name, image)) = self.images.iter().find_map(|(name, image)| {
                Some((name, image.as_ref().filter(|image| image.contains(probe))?))
            }) else {
                return vec![format!("    {address:#x}")];
            };
            (
                self.folder.join(format!("{name}.dbg")),
                probe - image.base + image.preferred,
            )
        };
        let image = path
            .file_name()
            .unwrap_or_default()
            .to_string_lossy()
            .trim_end_matches(".dbg")
            .to_owned();
        let loader = self
            .loaders
            .entry(path)
            .or_insert_with_key(|path| Loader::new(path).ok());
        let found = loader
            .as_ref()
            .map(|loader| locate(loader, linked))
            .unwrap_or_default();
        if found.is_empty() {
            return vec![format!("    {address:#x} {image}")];
        }
        found
            .into_iter()
            .map(|place| format!("    {address:#x} {image} {place}"))
            .collect()
    }
}

/// Functions and source lines at a link address, innermost first.
fn locate(loader: &Loader, address: u64) -> Vec<String> {
    let mut places = Vec::new();
    if let Ok(mut frames) = loader.find_frames(address) {
        while let Ok(Some(frame)) = frames.next() {
            let function = frame
                .function
                .as_ref()
                .and_then(|name| name.demangle().ok().map(|name| name.into_owned()));
            let at = frame.location.and_then(|location| {
                Some(format!(
                    " at {}:{}",
                    relative(location.file?),
                    location.line?
                ))
            });
            if function.is_some() || at.is_some() {
                places.push(format!(
                    "{}{}",
                    function.unwrap_or_default(),
                    at.unwrap_or_default()
                ));
            }
        }
    }
    if places.is_empty() {
        places.extend(loader.find_symbol(address).map(str::to_owned));
    }
    places
}

/// A source path as seen from the checkout.
fn relative(file: &str) -> String {
    Path::new(file)
        .strip_prefix(paths::root())
        .map_or_else(|_| file.to_owned(), |path| path.display().to_string())
}

fn hexadecimal(text: &str) -> Option<u64> {
    u64::from_str_radix(text.trim().strip_prefix("0x")?, 16).ok()
}

/// Name and base of `image NAME base HEX process N`.
pub fn announced(line: &str) -> Option<(String, u64)> {
    let mut words = line.split(" image ").nth(1)?.split_whitespace();
    let name = words.next()?.to_ascii_lowercase();
    (words.next()? == "base").then_some(())?;
    Some((name, hexadecimal(words.next()?)?))
}

/// A piece of stack.
#[derive(Debug, PartialEq, Eq)]
struct Stack {
    start: u64,
    bytes: Vec<u8>,
}

impl Stack {
    fn word(&self, address: u64) -> Option<u64> {
        let at = usize::try_from(address.checked_sub(self.start)?).ok()?;
        self.bytes
            .get(at..at.checked_add(8)?)?
            .try_into()
            .ok()
            .map(u64::from_le_bytes)
    }
}

/// Registers and stack: a line of names and values, then lines of an address and bytes.
fn parse(part: &str) -> Option<(State, Stack)> {
    const NAMES: [&str; 16] = [
        "rax", "rcx", "rdx", "rbx", "rsp", "rbp", "rsi", "rdi", "r8", "r9", "r10", "r11", "r12",
        "r13", "r14", "r15",
    ];
    let mut lines = part.lines().skip(1);
    let values: BTreeMap<&str, u64> = lines
        .next()?
        .split_whitespace()
        .filter_map(|word| word.split_once('='))
        .filter_map(|(name, value)| Some((name, hexadecimal(value)?)))
        .collect();
    let mut state = State {
        rip: *values.get("rip")?,
        ..State::default()
    };
    for (register, name) in state.registers.iter_mut().zip(NAMES) {
        *register = *values.get(name)?;
    }
    // One piece, so that a word may lie across two lines; what is left out between two lines is
    // zero.
    let mut start = None;
    let mut stack = Vec::new();
    for line in lines {
        let (address, digits) = line.split_once(' ')?;
        let address = hexadecimal(address)?;
        let at = usize::try_from(address.checked_sub(*start.get_or_insert(address))?)
            .ok()
            .filter(|at| *at <= LONGEST_STACK)?;
        stack.resize(at.max(stack.len()), 0);
        stack.extend(
            (0..digits.len() / 2)
                .filter_map(|n| u8::from_str_radix(digits.get(2 * n..2 * n + 2)?, 16).ok()),
        );
    }
    let stack = Stack {
        start: start.unwrap_or_default(),
        bytes: stack,
    };
    Some((state, stack))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_image_line_is_understood() {
        assert_eq!(
            announced("[    0.238] image smss.exe base 0x140000000 process 12"),
            Some(("smss.exe".to_owned(), 0x1_4000_0000))
        );
        assert_eq!(announced("[    0.238] no image at all"), None);
    }

    #[test]
    fn a_user_stack_is_understood() {
        let part = "smss.exe, thread 16\nrip=0x10 rsp=0x1000 rflags=0x202 rax=0x0 rbx=0x3 rcx=0x0 rdx=0x0 rsi=0x0 rdi=0x0 rbp=0x5 r8=0x0 \
                    r9=0x0 r10=0x0 r11=0x0 r12=0x0 r13=0x0 r14=0x0 r15=0xf\n0x1000 0102\n0x1002 03\n0x1006 0405\n";
        let (state, stack) = parse(part).expect("well-formed");
        assert_eq!(
            (
                state.rip,
                state.registers[3],
                state.registers[5],
                state.registers[15]
            ),
            (0x10, 3, 5, 0xF)
        );
        assert_eq!(
            stack,
            Stack {
                start: 0x1000,
                bytes: vec![1, 2, 3, 0, 0, 0, 4, 5]
            }
        );
        assert_eq!(
            (stack.word(0x1000), stack.word(0x1001), stack.word(0xFFF)),
            (Some(0x0504_0000_0003_0201), None, None)
        );
        assert_eq!(parse("smss.exe\nrip=0x1\n"), None);
    }
}

// SPDX-License-Identifier: GPL-2.0-or-later
//! The judgement on a boot of ReactOS by what its debug port says: pure, line by line.
//!
//! ReactOS ends in many ways, and in most of them the machine stays on: the kernel debugger waits
//! for a command that nobody gives. Each way has a text that the kernel prints on it and on nothing
//! else. A prompt is not followed by a line's end, so what has come of an unfinished line is judged
//! as well.

use std::fmt;

/// How many lines before the end are worth showing.
const BEFORE: usize = 15;

/// A way in which ReactOS ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Death {
    /// KeBugCheckEx, with or without a debugger.
    Bugcheck,
    /// A process or a thread that the system cannot be without has ended.
    Critical,
    /// A failed assertion waits for an answer.
    Assertion,
    /// The kernel debugger was entered, and waits for a command.
    Debugger,
    /// The processor could not deliver an exception.
    DoubleFault,
}

impl fmt::Display for Death {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str(match self {
            Self::Bugcheck => "it stopped with a bugcheck",
            Self::Critical => "a critical process or thread has ended",
            Self::Assertion => "a failed assertion waits for an answer",
            Self::Debugger => "it has entered the kernel debugger",
            Self::DoubleFault => "the processor has met a double fault",
        })
    }
}

/// What each way prints. The first that is found in a line counts: the debugger names a double
/// fault as the reason why it was entered.
const SIGNS: [(&str, Death); 11] = [
    ("*** Fatal System Error", Death::Bugcheck),
    ("*** STOP: 0x", Death::Bugcheck),
    ("Terminating critical process", Death::Critical),
    ("Terminating critical thread", Death::Critical),
    ("Break, or Ignore (bi)?", Death::Critical),
    ("terminate Thread (boipt)?", Death::Assertion),
    ("(Double Fault)", Death::DoubleFault),
    ("Double fault", Death::DoubleFault),
    ("Entered debugger on ", Death::Debugger),
    ("Type \"help\" for a list of commands.", Death::Debugger),
    ("kdb:>", Death::Debugger),
];

/// What a line, or the beginning of one, says of the system's end; nothing if it goes on.
pub fn death(line: &str) -> Option<Death> {
    SIGNS
        .into_iter()
        .find(|(sign, _)| line.contains(sign))
        .map(|(_, death)| death)
}

/// The first end that a log has: how, with the line that says so and those before it.
pub fn judge(lines: &[String]) -> Option<(Death, &[String])> {
    let (at, death) = lines
        .iter()
        .enumerate()
        .find_map(|(at, line)| Some((at, death(line)?)))?;
    Some((death, &lines[at.saturating_sub(BEFORE)..=at]))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn log(text: &str) -> Vec<String> {
        text.lines().map(str::to_owned).collect()
    }

    #[test]
    fn every_end_that_the_kernel_prints_is_one() {
        for (line, expected) in [
            ("*** Fatal System Error: 0xc000021a", Death::Bugcheck),
            ("*** STOP: 0x0000007F (0x8,0x0,0x0,0x0)", Death::Bugcheck),
            (
                "Terminating critical process 0xFFFFF8000123 (winlogon.exe)",
                Death::Critical,
            ),
            (
                "Terminating critical thread 0xFFFFF8000123 (csrss.exe)",
                Death::Critical,
            ),
            ("Break, or Ignore (bi)? ", Death::Critical),
            (
                "Break repeatedly, break Once, Ignore, terminate Process or terminate Thread (boipt)? ",
                Death::Assertion,
            ),
            (
                "Entered debugger on embedded INT3 at 0x0010:0xFFFFF800004567.",
                Death::Debugger,
            ),
            (
                "Entered debugger on last-chance exception (Exception Code: 0xc0000005) (Page Fault)",
                Death::Debugger,
            ),
            (
                "Entered debugger on first-chance exception (Exception Code: 0x0) (Double Fault)",
                Death::DoubleFault,
            ),
            ("kdb:> ", Death::Debugger),
        ] {
            assert_eq!(death(line), Some(expected), "{line}");
        }
    }

    #[test]
    fn a_system_that_goes_on_has_not_ended() {
        for line in [
            "SMSS: phase: 39 settled: waiting for the Windows subsystem and the initial command",
            "(ntoskrnl/ps/kill.c:93) Process: 0 ExitStatus: 0",
            "*** Assertion failed: Count != 0",
            "WARNING: RtlpDphTargetDlls is not implemented",
            "",
        ] {
            assert_eq!(death(line), None, "{line}");
        }
    }

    /// What a system whose winlogon had ended printed, and what `run --base` called a pass once.
    #[test]
    fn the_first_end_is_shown_with_the_lines_before_it() {
        let mut text: String = (0..30).map(|number| format!("line {number}\n")).collect();
        text.push_str("Terminating critical process 0xF8A0 (winlogon.exe)\n");
        text.push_str("Break, or Ignore (bi)? \n*** Fatal System Error: 0x000000f4\n");
        let lines = log(&text);
        let (death, shown) = judge(&lines).unwrap();
        assert_eq!(death, Death::Critical);
        assert_eq!(shown.len(), BEFORE + 1);
        assert_eq!(shown.first().unwrap(), "line 15");
        assert!(shown.last().unwrap().contains("winlogon.exe"));
    }

    #[test]
    fn a_short_log_is_shown_whole_and_a_sound_one_not_at_all() {
        let lines = log("one\n*** Fatal System Error: 0x00000071\nthree\n");
        assert_eq!(judge(&lines).unwrap().1, &lines[..2]);
        assert_eq!(judge(&lines[..1]), None);
        assert_eq!(judge(&[]), None);
    }
}

// SPDX-License-Identifier: GPL-2.0-or-later
//! One line of a trace's text: `IMAGE SECONDS PROCESS.THREAD CALL(ARGUMENTS) = STATUS <SECONDS>`. What is
//! no call stands between `---` or `+++`.

/// A line, cut apart.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Line<'a> {
    /// The process's image.
    pub image: &'a str,
    /// When, in units of 100 ns.
    pub time: u64,
    /// Process and thread.
    pub client: &'a str,
    /// What happened.
    pub what: What<'a>,
}

/// What a line tells of.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum What<'a> {
    /// A call of this name.
    Call(&'a str, Outcome<'a>),
    /// Text for a debugger.
    Prints(&'a str),
    /// A process of this image starts.
    Starts {
        /// Its image file.
        image: &'a str,
        /// Its creator's id.
        parent: u32,
        /// The session space it is in.
        session: Option<u32>,
    },
    /// A process ends with this status.
    Ends(&'a str),
}

/// How a call ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Outcome<'a> {
    /// With this status, after so long (units of 100 ns, the wait included).
    Returned(&'a str, u64),
    /// It waits.
    Waits,
    /// It does not return.
    Gone,
}

impl<'a> Line<'a> {
    /// Cuts a line apart; `None` for a line that is not a trace's.
    pub fn parse(line: &'a str) -> Option<Self> {
        let (image, rest) = line.split_once(' ')?;
        let (time, rest) = rest.trim_start().split_once(' ')?;
        let (client, rest) = rest.split_once(' ')?;
        let what = if let Some(text) = rest.strip_prefix("--- ") {
            What::Prints(text.strip_suffix(" ---").unwrap_or(text))
        } else if let Some(text) = rest.strip_prefix("+++ ") {
            What::of(text.strip_suffix(" +++")?)?
        } else {
            let (name, _) = call(line)?;
            What::Call(name, Outcome::of(rest))
        };
        Some(Self {
            image,
            time: units(time)?,
            client,
            what,
        })
    }
}

impl<'a> What<'a> {
    fn of(text: &'a str) -> Option<Self> {
        if let Some(status) = text.strip_prefix("ended with ") {
            return Some(Self::Ends(status));
        }
        let (image, rest) = text.split_once(" started by ")?;
        let (parent, session) = rest.split_once(", session ")?;
        Some(Self::Starts {
            image,
            parent: u32::from_str_radix(parent, 16).ok()?,
            session: session.parse().ok(),
        })
    }
}

impl<'a> Outcome<'a> {
    fn of(line: &'a str) -> Self {
        if line.ends_with(") waits") {
            return Self::Waits;
        }
        let Some((_, end)) = line.rsplit_once(") = ") else {
            return Self::Gone;
        };
        let (status, took) = end.split_once(' ').unwrap_or((end, ""));
        let took = took.trim_start_matches('<').trim_end_matches('>');
        Self::Returned(status, units(took).unwrap_or(0))
    }
}

/// `seconds.fraction` in units of 100 ns.
fn units(text: &str) -> Option<u64> {
    let (seconds, fraction) = text.split_once('.')?;
    let fraction: String = fraction.chars().chain("0000000".chars()).take(7).collect();
    Some(seconds.parse::<u64>().ok()? * 10_000_000 + fraction.parse::<u64>().ok()?)
}

/// The call of a line and what stands behind its opening parenthesis.
pub fn call(line: &str) -> Option<(&str, &str)> {
    let at = line.find(" Nt")? + 1;
    let (name, arguments) = line.get(at..)?.split_once('(')?;
    name.bytes()
        .all(|byte| byte.is_ascii_alphanumeric())
        .then_some((name, arguments))
}

/// The texts in quotes, outside braces, in which data stands.
pub fn texts(arguments: &str) -> impl Iterator<Item = String> {
    let mut texts = Vec::new();
    let mut depth = 0_u32;
    let mut text: Option<String> = None;
    let mut letters = arguments.chars();
    while let Some(letter) = letters.next() {
        match (&mut text, letter) {
            (Some(inside), '\\') => {
                inside.push('\\');
                inside.extend(letters.next());
            }
            (Some(_), '"') => {
                let whole = text.take().unwrap_or_default();
                if depth == 0 {
                    texts.push(whole);
                }
            }
            (Some(inside), other) => inside.push(other),
            (None, '"') => text = Some(String::new()),
            (None, '{') => depth += 1,
            (None, '}') => depth = depth.saturating_sub(1),
            (None, _) => {}
        }
    }
    texts.into_iter()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_is_cut_apart() {
        let line =
            "smss.exe     0.1541207 c.10 NtClose(handle=0x8<\\Nt (x) = y>) = SUCCESS <0.0000031>";
        assert_eq!(
            Line::parse(line),
            Some(Line {
                image: "smss.exe",
                time: 1_541_207,
                client: "c.10",
                what: What::Call("NtClose", Outcome::Returned("SUCCESS", 31)),
            })
        );
        let what = |line: &'static str| Line::parse(line).map(|line| line.what);
        assert_eq!(
            what("a.exe 0.1 c.10 NtDelayExecution(interval=1.0s) waits"),
            Some(What::Call("NtDelayExecution", Outcome::Waits))
        );
        assert_eq!(
            what("a.exe 0.1 c.10 --- SMSS: phase: 9 registry ---"),
            Some(What::Prints("SMSS: phase: 9 registry"))
        );
        assert_eq!(
            what("a.exe 0.1 c.0 +++ ended with SUCCESS +++"),
            Some(What::Ends("SUCCESS"))
        );
        assert_eq!(
            what("a.exe 0.1 1c.0 +++ a.exe started by c, session none +++"),
            Some(What::Starts {
                image: "a.exe",
                parent: 0xC,
                session: None
            })
        );
        assert_eq!(Line::parse("no line of a trace"), None);
    }

    #[test]
    fn quotes_inside_a_text_do_not_end_it() {
        let found: Vec<String> = texts(r#"name="a\"b", buffer={REG_SZ "}{"}, x="c")"#).collect();
        assert_eq!(found, [r#"a\"b"#, "c"]);
    }
}

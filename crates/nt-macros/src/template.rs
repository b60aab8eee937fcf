// SPDX-License-Identifier: GPL-2.0-or-later
//! The parse of a format string: what is literal text, and what its places want.

/// What stands for a place in a template (`nt::text::PLACE`).
const PLACE: char = '%';

/// A format string, parsed.
#[derive(Debug, PartialEq, Eq)]
pub struct Template {
    /// The source of a string literal, with [`PLACE`] at every place.
    pub source: String,
    /// The places, in order.
    pub places: Vec<Place>,
}

/// A place in a text.
#[derive(Debug, PartialEq, Eq)]
pub struct Place {
    /// The variable that stands there; the next argument without.
    pub name: Option<String>,
    /// The call that makes a number hexadecimal, as source; or nothing.
    pub format: String,
}

impl Template {
    /// Parses the source of a string literal; its escapes stay as they are.
    pub fn parse(source: &str) -> Result<Self, &'static str> {
        if source.contains("\\u{") || !source.is_ascii() {
            return Err("a text is ASCII");
        }
        if source.contains(PLACE) {
            return Err("`%` stands for a place in the image; a text cannot have it");
        }
        let mut template = Self {
            source: String::new(),
            places: Vec::new(),
        };
        let mut rest = source;
        while let Some((before, place)) = rest.split_once('{') {
            let (place, after) = place.split_once('}').ok_or("a `{` without its `}`")?;
            template.source += before;
            template.source.push(PLACE);
            template.places.push(Place::parse(place)?);
            rest = after;
        }
        template.source += rest;
        if template.source.contains('}') {
            return Err("a `}` without its `{`");
        }
        Ok(template)
    }
}

impl Place {
    fn parse(place: &str) -> Result<Self, &'static str> {
        let (name, format) = place.split_once(':').unwrap_or((place, ""));
        if name.starts_with(|first: char| !first.is_ascii_alphabetic() && first != '_')
            || name.contains(|one: char| !one.is_ascii_alphanumeric() && one != '_')
        {
            return Err("a place names a variable, or nothing");
        }
        Ok(Self {
            name: (!name.is_empty()).then(|| name.to_owned()),
            format: hexadecimal(format)?,
        })
    }
}

/// The call for `x`, `08x`, `X`, `02X`.
fn hexadecimal(format: &str) -> Result<String, &'static str> {
    const GRAMMAR: &str = "a place is formatted by `x` or `X`, perhaps with a width, or not at all";
    let (width, method) = match format.split_at_checked(format.len().wrapping_sub(1)) {
        None => return Ok(String::new()),
        Some((width, "x")) => (width, "hex"),
        Some((width, "X")) => (width, "upper_hex"),
        Some(_) => return Err(GRAMMAR),
    };
    let digits = match width.strip_prefix('0') {
        None if width.is_empty() => "1",
        None => return Err(GRAMMAR),
        Some(digits) => digits,
    };
    let digits: u8 = digits.parse().map_err(|_| GRAMMAR)?;
    Ok(format!(".{method}({digits})"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn place(name: Option<&str>, format: &str) -> Place {
        Place {
            name: name.map(str::to_owned),
            format: format.to_owned(),
        }
    }

    #[test]
    fn places_become_marks_and_the_rest_stays_as_it_is_written() {
        let template = Template::parse(r#""{a_1}: {}\r\n""#).unwrap();
        assert_eq!(template.source, r#""%: %\r\n""#);
        assert_eq!(template.places, [place(Some("a_1"), ""), place(None, "")]);
    }

    #[test]
    fn a_number_can_be_hexadecimal_with_leading_zeros() {
        let places = Template::parse(r#""{:x} {of:08x} {:02X}""#).unwrap().places;
        let wanted = [
            place(None, ".hex(1)"),
            place(Some("of"), ".hex(8)"),
            place(None, ".upper_hex(2)"),
        ];
        assert_eq!(places, wanted);
    }

    #[test]
    fn what_is_not_understood_is_refused() {
        for wrong in [
            "{", "}", "{{}}", "{a.b}", "{1}", "{:?}", "{:#x}", "{:8x}", "{:0x}", "50 %", "\u{e9}",
            "\\u{e9}",
        ] {
            assert!(Template::parse(&format!("\"{wrong}\"")).is_err(), "{wrong}");
        }
    }
}

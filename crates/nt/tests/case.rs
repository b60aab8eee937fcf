// SPDX-License-Identifier: GPL-2.0-or-later
//! Case with a system's own table, which is one a process: hence a test program of its own.

use nt::case;

#[test]
fn the_first_installed_table_is_asked_for_everything_beyond_ascii() {
    const SHARP_S: u16 = 0xDF;
    const CAPITAL_SHARP_S: u16 = 0x1E9E;
    assert_eq!(case::upcase(SHARP_S), SHARP_S, "Unicode's simple mapping");

    case::install(|unit| match unit {
        SHARP_S => CAPITAL_SHARP_S,
        0x00..0x80 => panic!("ASCII needs no table"),
        other => other,
    });
    case::install(|_| panic!("a second table"));

    assert_eq!(case::upcase(SHARP_S), CAPITAL_SHARP_S);
    assert_eq!(case::upcase(0xE9), 0xE9, "what the table says, not Unicode");
    assert_eq!(case::upcase(u16::from(b'z')), u16::from(b'Z'));
    assert!(case::same(SHARP_S, CAPITAL_SHARP_S));
}

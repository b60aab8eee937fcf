// SPDX-License-Identifier: GPL-2.0-or-later
//! Environment blocks: their form, copies of them, and the expansion of names in a text.

use nt::environment::{Environment, expand, valid_name};
use nt::pages::PageVec;
use nt::{Status, UnicodeStr, wide};
use proptest::prelude::*;
use test_support::Heap;

static HEAP: Heap = Heap::new(1 << 24);

fn units(text: &str) -> Vec<u16> {
    text.encode_utf16().collect()
}

fn text(environment: &Environment<&'static Heap>) -> String {
    String::from_utf16_lossy(environment.block()).replace('\0', "|")
}

fn expanded(environment: &Environment<&'static Heap>, of: &str) -> String {
    let mut out = PageVec::new(&HEAP);
    let text = units(of);
    expand(UnicodeStr(&text), |name| environment.get(name), &mut out).unwrap();
    out.as_str().to_string()
}

#[test]
fn an_empty_block_is_two_nuls_and_any_other_ends_in_two() {
    let of = |pairs: &[(UnicodeStr<'static>, UnicodeStr<'static>)]| {
        text(&Environment::of(&HEAP, pairs.iter().copied()).unwrap())
    };
    assert_eq!(of(&[]), "||");
    assert_eq!(of(&[(wide!("A"), wide!("1"))]), "A=1||");
}

#[test]
fn bad_names_are_refused() {
    for name in [wide!(""), wide!("a=b"), wide!("==")] {
        assert_eq!(valid_name(name), Err(Status::INVALID_PARAMETER));
    }
    assert_eq!(valid_name(wide!("=C:")), Ok(()));
}

#[test]
fn a_given_block_is_copied_up_to_its_end() {
    let environment =
        Environment::copied(&HEAP, &units("Path=C:\\x\0SystemRoot=C:\\R\0\0junk")).unwrap();
    assert_eq!(text(&environment), "Path=C:\\x|SystemRoot=C:\\R||");
    assert_eq!(environment.get(wide!("systemroot")), Some(wide!("C:\\R")));
}

#[test]
fn unknown_and_unfinished_names_stay_literal() {
    let environment = Environment::copied(&HEAP, &units("B=x\0")).unwrap();
    assert_eq!(expanded(&environment, "%B%;%no%;%B%"), "x;%no%;x");
    assert_eq!(expanded(&environment, "100%"), "100%");
    assert_eq!(expanded(&environment, "%%B%"), "%x");
    assert_eq!(expanded(&environment, "%no%B%"), "%nox");
}

proptest! {
    #[test]
    fn any_block_is_copied_again_unchanged(
        block in prop::collection::vec(prop_oneof![Just(0u16), Just(u16::from(b'=')), any::<u16>()], 0..80),
        subject in prop::collection::vec(prop_oneof![Just(u16::from(b'%')), 0x40u16..0x46], 0..40),
    ) {
        let environment = Environment::copied(&HEAP, &block).unwrap();
        let again = Environment::copied(&HEAP, environment.block()).unwrap();
        prop_assert_eq!(again.block(), environment.block());
        prop_assert!(environment.iter().all(|(name, _)| valid_name(name).is_ok()));
        let mut out = PageVec::new(&HEAP);
        expand(UnicodeStr(&subject), |name| environment.get(name), &mut out).unwrap();
        if !subject.contains(&u16::from(b'%')) {
            prop_assert_eq!(out.as_slice(), &subject[..]);
        }
    }
}

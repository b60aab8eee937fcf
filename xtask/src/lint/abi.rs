// SPDX-License-Identifier: GPL-2.0-or-later
//! The rules of `kernel-shim/abi`: plain data and nothing else, as uefi-rs' `check-raw` has it for
//! its raw crate.
//!
//! What a structure of the ABI holds comes from the other side of a boundary, so no type may be in
//! it that has invalid values (`enum`, `bool`, `char`), borrows (`&`), or a size that depends on who
//! compiles it (`usize`). There is no function and no method: two programs that share code share
//! its errors. And every structure has its size asserted, next to it.

use anyhow::{Context as _, Result};
use quote::ToTokens;
use std::collections::BTreeSet;
use syn::{Attribute, Field, File, Generics, Item, ItemStruct, ItemTrait, TraitItem, Type};

/// Types of a field or a constant that are numbers of one size everywhere.
const NUMBERS: [&str; 8] = ["u8", "u16", "u32", "u64", "i8", "i16", "i32", "i64"];
/// The one type parameter that a structure may have: the width of a pointer.
const POINTER: &str = "P";
/// What belongs to the width of a pointer.
const ASSOCIATED: [&str; 2] = ["P :: Padding", "P :: Filler"];

/// Everything in `source` that breaks a rule, as one line each. `layouts` are the names of all
/// structures of the crate.
fn check(file: &str, source: &str, layouts: &BTreeSet<String>) -> Result<Vec<String>> {
    let parsed = syn::parse_file(source).with_context(|| format!("parsing {file}"))?;
    let mut linter = Linter {
        file,
        layouts,
        asserted: asserted(&parsed),
        found: Vec::new(),
    };
    linter.items(&parsed.items);
    Ok(linter.found)
}

/// The structures that a file asserts the size of.
fn asserted(file: &File) -> BTreeSet<String> {
    let macros = file.items.iter().filter_map(|item| match item {
        Item::Macro(call) if call.mac.path.is_ident("layout") => Some(&call.mac),
        _ => None,
    });
    macros
        .filter_map(|call| call.tokens.clone().into_iter().next())
        .map(|first| first.to_string())
        .collect()
}

/// The structures that a file declares.
fn declared(source: &str) -> Result<Vec<String>> {
    let parsed = syn::parse_file(source)?;
    let structures = parsed.items.iter().filter_map(|item| match item {
        Item::Struct(item) => Some(item.ident.to_string()),
        _ => None,
    });
    Ok(structures.collect())
}

struct Linter<'a> {
    file: &'a str,
    layouts: &'a BTreeSet<String>,
    asserted: BTreeSet<String>,
    found: Vec<String>,
}

impl Linter<'_> {
    fn report(&mut self, subject: &dyn ToTokens, rule: &str) {
        let subject = subject.to_token_stream().to_string();
        let subject: String = subject.chars().take(60).collect();
        self.found.push(format!("{}: {rule}: {subject}", self.file));
    }

    fn items(&mut self, items: &[Item]) {
        for item in items {
            match item {
                Item::Struct(item) => self.structure(item),
                Item::Trait(item) => self.width(item),
                Item::Mod(item) => {
                    if let Some((_, items)) = &item.content {
                        self.items(items);
                    }
                }
                Item::Const(item) => {
                    // The size of something in this program's own memory is a `usize`.
                    let size = item.ty.to_token_stream().to_string() == "usize";
                    if !size && !self.number(&item.ty) {
                        self.report(item, "a constant is a number");
                    }
                }
                // Only associated types and aliases can be in these two: the rest is refused below.
                Item::Impl(item) => {
                    let types = item
                        .items
                        .iter()
                        .all(|item| matches!(item, syn::ImplItem::Type(_)));
                    if !types || item.trait_.is_none() {
                        self.report(item, "no logic");
                    }
                }
                Item::Use(_) | Item::Type(_) => {}
                Item::Macro(call)
                    if ["layout", "macro_rules"]
                        .iter()
                        .any(|known| call.mac.path.is_ident(known)) => {}
                Item::Enum(item) => self.report(item, "no enum: an open set of numbers"),
                other => self.report(other, "plain data only"),
            }
        }
    }

    /// The trait that says how wide a pointer is: types, no functions.
    fn width(&mut self, item: &ItemTrait) {
        if !item
            .items
            .iter()
            .all(|item| matches!(item, TraitItem::Type(_)))
        {
            self.report(item, "no logic");
        }
    }

    fn structure(&mut self, item: &ItemStruct) {
        let repr = repr(&item.attrs);
        if !repr.contains("C") {
            self.report(&item.ident, "a structure is repr(C)");
        }
        if !item.generics.params.is_empty() {
            if parameters(&item.generics) != [POINTER] {
                self.report(&item.generics, "the only parameter is the pointer, P");
            }
            if !repr.contains("packed") {
                self.report(&item.ident, "a structure with pointers is packed");
            }
        }
        if !self.asserted.contains(&item.ident.to_string()) {
            self.report(&item.ident, "a structure has its size asserted by layout!");
        }
        if !matches!(item.fields, syn::Fields::Named(_)) {
            self.report(&item.ident, "a structure has named fields");
        }
        for Field { ty, vis, .. } in &item.fields {
            if !matches!(vis, syn::Visibility::Public(_)) {
                self.report(ty, "a field is public");
            }
            if !self.plain(ty) {
                self.report(ty, "a field is a number, an array, a pointer P or a layout");
            }
        }
    }

    fn number(&self, ty: &Type) -> bool {
        NUMBERS.contains(&ty.to_token_stream().to_string().as_str())
    }

    fn plain(&self, ty: &Type) -> bool {
        if let Type::Array(array) = ty {
            return self.plain(&array.elem);
        }
        let text = ty.to_token_stream().to_string();
        let name = text.strip_suffix("< P >").map_or(text.as_str(), str::trim);
        self.number(ty)
            || text == POINTER
            || ASSOCIATED.contains(&text.as_str())
            || self.layouts.contains(name)
    }
}

/// The words in the `repr` attributes.
fn repr(attributes: &[Attribute]) -> BTreeSet<String> {
    attributes
        .iter()
        .filter(|attribute| attribute.path().is_ident("repr"))
        .filter_map(|attribute| attribute.meta.require_list().ok())
        .flat_map(|list| list.tokens.clone())
        .map(|token| token.to_string())
        .collect()
}

fn parameters(generics: &Generics) -> Vec<String> {
    generics
        .params
        .iter()
        .map(|parameter| match parameter {
            syn::GenericParam::Type(parameter) => parameter.ident.to_string(),
            other => other.to_token_stream().to_string(),
        })
        .collect()
}

/// All files of the crate, with their names.
fn sources() -> Result<Vec<(String, String)>> {
    let folder = crate::paths::root().join("kernel-shim/abi/src");
    let mut sources = Vec::new();
    for entry in std::fs::read_dir(&folder)? {
        let path = entry?.path();
        let name = path.file_name().unwrap_or_default().to_string_lossy();
        sources.push((name.into_owned(), std::fs::read_to_string(&path)?));
    }
    Ok(sources)
}

#[test]
fn the_layouts_of_the_abi_are_plain_data() -> Result<()> {
    let sources = sources()?;
    let mut layouts = BTreeSet::new();
    for (_, source) in &sources {
        layouts.extend(declared(source)?);
    }
    assert!(layouts.len() > 20, "the crate's structures were not found");
    let mut found = Vec::new();
    for (file, source) in &sources {
        found.extend(check(file, source, &layouts)?);
    }
    assert!(found.is_empty(), "{}", found.join("\n"));
    Ok(())
}

#[test]
fn what_breaks_a_rule_is_found() -> Result<()> {
    let layouts = BTreeSet::from(["Known".to_string()]);
    let one = |fields: &str| {
        format!("#[repr(C)] pub struct A {{ {fields} }} layout!(A {{ size: 0x8 }});")
    };
    let sound = [
        one("pub a: u32, pub b: [u8; 4], pub c: Known"),
        "#[repr(C, packed)] pub struct A<P: Pointer> { pub a: P, pub b: P::Padding, pub c: Known<P> }
         layout!(A<P> { size: 8 | 4 });"
            .into(),
        "pub const A: u32 = 1; pub const SIZE: usize = 8;".into(),
    ];
    for source in sound {
        assert_eq!(check("sound", &source, &layouts)?, Vec::<String>::new());
    }
    let unsound = [
        (one("pub a: bool"), "a field is a number"),
        (one("pub a: char"), "a field is a number"),
        (one("pub a: usize"), "a field is a number"),
        (one("pub a: &'static u8"), "a field is a number"),
        (one("pub a: *const u8"), "a field is a number"),
        (one("pub a: Option<u32>"), "a field is a number"),
        (one("pub a: Unknown"), "a field is a number"),
        (one("pub a: [bool; 2]"), "a field is a number"),
        (one("a: u32"), "a field is public"),
        (
            "pub struct A { pub a: u32 } layout!(A { size: 4 });".into(),
            "a structure is repr(C)",
        ),
        (
            "#[repr(C)] pub struct A { pub a: u32 }".into(),
            "a structure has its size asserted",
        ),
        (
            "#[repr(C)] pub struct A<P: Pointer> { pub a: P } layout!(A<P> { size: 8 | 4 });"
                .into(),
            "a structure with pointers is packed",
        ),
        (
            "#[repr(C, packed)] pub struct A<T> { pub a: u8 } layout!(A<P> { size: 1 | 1 });"
                .into(),
            "the only parameter is the pointer",
        ),
        ("pub enum A { B }".into(), "no enum"),
        ("pub fn a() {}".into(), "plain data only"),
        ("pub static A: u32 = 1;".into(), "plain data only"),
        ("pub const A: bool = true;".into(), "a constant is a number"),
        ("impl Known { pub fn a() {} }".into(), "no logic"),
        ("trait A { fn a(); }".into(), "no logic"),
        ("pub mod a { pub fn b() {} }".into(), "plain data only"),
    ];
    for (source, rule) in unsound {
        let found = check("unsound", &source, &layouts)?;
        assert!(
            found.iter().any(|line| line.contains(rule)),
            "{source}: {found:?} has no {rule:?}"
        );
    }
    Ok(())
}

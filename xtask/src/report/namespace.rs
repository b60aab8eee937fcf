// SPDX-License-Identifier: GPL-2.0-or-later
//! The object namespace as a tree that folds, with types, targets and security in words.

use super::difference::{list, string};
use maud::{Markup, html};
use serde_json::Value as Json;
use std::collections::BTreeSet;

/// How deep the tree is unfolded at first.
const UNFOLDED: usize = 1;

/// An object with what is in it.
struct Node<'a> {
    object: &'a Json,
    children: Vec<Node<'a>>,
}

/// The tree; `new` are the paths of objects that were not there before the boot.
pub fn tree(dump: &Json, new: &BTreeSet<String>) -> Markup {
    let objects: Vec<&Json> = list(&dump["objects"]).collect();
    let roots = children("", &objects);
    html! {
        ul.tree { @for root in &roots { (branch(root, 0, new)) } }
    }
}

/// The objects right below a directory. A directory stands before what is in it.
fn children<'a>(path: &str, objects: &[&'a Json]) -> Vec<Node<'a>> {
    objects
        .iter()
        .filter(|object| parent(object["path"].as_str().unwrap_or_default()) == Some(path))
        .map(|object| Node {
            object,
            children: children(object["path"].as_str().unwrap_or_default(), objects),
        })
        .collect()
}

/// The directory that a path is in; the root is in none.
fn parent(path: &str) -> Option<&str> {
    match path.rsplit_once('\\') {
        _ if path == "\\" => Some(""),
        Some(("", _)) => Some("\\"),
        Some((parent, _)) => Some(parent),
        None => None,
    }
}

fn branch(node: &Node<'_>, depth: usize, new: &BTreeSet<String>) -> Markup {
    let security = node.object["security"].as_str();
    html! {
        li {
            @if node.children.is_empty() && security.is_none() {
                div.leaf { (line(node.object, new)) }
            } @else {
                details open[depth < UNFOLDED && !node.children.is_empty()] {
                    summary {
                        (line(node.object, new))
                        @if !node.children.is_empty() {
                            span.muted { " " (node.children.len()) }
                        }
                    }
                    @if let Some(security) = security {
                        (shown_security(security, &string(&node.object["type"])))
                    }
                    @if !node.children.is_empty() {
                        ul { @for child in &node.children { (branch(child, depth + 1, new)) } }
                    }
                }
            }
        }
    }
}

fn line(object: &Json, new: &BTreeSet<String>) -> Markup {
    let path = string(&object["path"]);
    let name = match path.rsplit_once('\\') {
        Some((_, name)) if !name.is_empty() => name,
        _ => "\\",
    };
    html! {
        span.object { (name) }
        " " span.kind { (string(&object["type"])) }
        @if let Some(target) = object["target"].as_str() {
            " " span.muted { "\u{2192}" } " " span.mono { (target) }
        }
        @if let Some(detail) = object["detail"].as_str() { " " span.muted { (detail) } }
        @if new.contains(&path) { " " span.new { "new" } }
    }
}

/// A security descriptor: who may do what.
fn shown_security(sddl: &str, kind: &str) -> Markup {
    let Some(descriptor) = Descriptor::parse(sddl) else {
        return html! { p.security.mono { (sddl) } };
    };
    html! {
        div.security title=(sddl) {
            "owner " (person(descriptor.owner)) ", group " (person(descriptor.group))
            ul {
                @for entry in &descriptor.entries {
                    li {
                        (entry.verb()) " " b { (person(entry.who)) } " "
                        span.mono { (rights(entry.rights, kind)) }
                        @if !entry.flags.is_empty() { span.muted { " " (inheritance(entry.flags)) } }
                    }
                }
            }
        }
    }
}

/// A descriptor in SDDL, cut apart.
struct Descriptor<'a> {
    owner: &'a str,
    group: &'a str,
    entries: Vec<Entry<'a>>,
}

/// One entry of its list.
struct Entry<'a> {
    kind: &'a str,
    flags: &'a str,
    rights: &'a str,
    who: &'a str,
}

impl<'a> Descriptor<'a> {
    fn parse(sddl: &'a str) -> Option<Self> {
        let (owner, rest) = sddl.strip_prefix("O:")?.split_once("G:")?;
        let (group, list) = rest.split_once("D:")?;
        let entries = list
            .split('(')
            .skip(1)
            .map(|entry| {
                let mut parts = entry.split(')').next()?.split(';');
                Some(Entry {
                    kind: parts.next()?,
                    flags: parts.next()?,
                    rights: parts.next()?,
                    // Two parts are about object types, which no descriptor here has.
                    who: parts.nth(2)?,
                })
            })
            .collect::<Option<_>>()?;
        Some(Self {
            owner,
            group,
            entries,
        })
    }
}

impl Entry<'_> {
    const fn verb(&self) -> &str {
        match self.kind.as_bytes() {
            b"A" => "allow",
            b"D" => "deny",
            _ => self.kind,
        }
    }
}

/// Who a SID is.
fn person(sid: &str) -> &str {
    match sid {
        "BA" => "Administrators",
        "SY" => "System",
        "WD" => "Everyone",
        "RC" => "Restricted code",
        "CO" => "Creator owner",
        "CG" => "Creator group",
        "AN" => "Anonymous",
        "AU" => "Authenticated users",
        "BU" => "Users",
        "LS" => "Local service",
        "NS" => "Network service",
        "" => "nobody",
        other => other,
    }
}

/// What an access mask lets one do to an object of a type.
fn rights(mask: &str, kind: &str) -> String {
    let Some(bits) = mask
        .strip_prefix("0x")
        .and_then(|digits| u32::from_str_radix(digits, 16).ok())
    else {
        return mask
            .replace("GA", "GENERIC_ALL ")
            .replace("GR", "GENERIC_READ ")
            .replace("GW", "GENERIC_WRITE ")
            .replace("GX", "GENERIC_EXECUTE ")
            .trim_end()
            .to_owned();
    };
    let opening = match kind {
        "Directory" => "NtOpenDirectoryObject",
        "SymbolicLink" => "NtOpenSymbolicLinkObject",
        "Device" => "NtOpenFile",
        "KeyedEvent" => "NtOpenKeyedEvent",
        "Event" => "NtOpenEvent",
        "Section" => "NtOpenSection",
        "Key" => "NtOpenKey",
        "Mutant" => "NtOpenMutant",
        "Semaphore" => "NtOpenSemaphore",
        _ => "",
    };
    executive::spelling::access(opening, bits).replace('|', " ")
}

fn inheritance(flags: &str) -> String {
    let mut words = Vec::new();
    if flags.contains("OI") || flags.contains("CI") {
        words.push("for what is made in it");
    }
    if flags.contains("IO") {
        words.push("only");
    }
    words.join(" ")
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn the_tree_nests_as_the_paths_do() {
        let dump = json!({"objects": [
            {"path": "\\", "type": "Directory"},
            {"path": "\\??", "type": "Directory"},
            {"path": "\\??\\C:", "type": "SymbolicLink", "target": "\\Device\\X"},
            {"path": "\\Windows", "type": "Directory"},
        ]});
        let new = BTreeSet::from(["\\Windows".to_owned()]);
        let page = tree(&dump, &new).into_string();
        let [root, dos, c, windows] = [
            "object\">\\<",
            "object\">??<",
            "object\">C:<",
            "object\">Windows<",
        ]
        .map(|name| {
            page.find(name)
                .unwrap_or_else(|| panic!("{name} in {page}"))
        });
        assert!(root < dos && dos < c && c < windows);
        assert_eq!(page.matches("class=\"new\"").count(), 1);
        assert_eq!(
            page.matches("<details").count(),
            page.matches("</details>").count()
        );
    }

    #[test]
    fn a_descriptor_is_told_in_words() {
        let page = shown_security("O:BAG:SYD:(A;;0x20003;;;WD)(A;OICIIO;GA;;;CO)", "Directory");
        let page = page.into_string();
        assert!(
            page.contains("owner Administrators, group System"),
            "{page}"
        );
        assert!(page.contains("QUERY TRAVERSE READ_CONTROL"), "{page}");
        assert!(page.contains("for what is made in it only"), "{page}");
        let odd = shown_security("malformed", "Directory").into_string();
        assert!(odd.contains("malformed"));
    }
}

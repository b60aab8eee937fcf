// SPDX-License-Identifier: GPL-2.0-or-later
//! The order of the rooms, held by tests: which folder of the executive may import which, and that
//! no files of a crate import each other in a circle.
//!
//! What a file imports is read from its syntax: its `use` items and every path that starts with
//! `crate` or `super`. Tests may look wherever they like. A parent's own submodules are its own: to
//! declare and re-export them is no import, or no child could ever use what its parent defines.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::Path;
use syn::visit::{self, Visit};

/// The executive's folders and files, from the bottom up: each may import those before it.
const EXECUTIVE: &[&str] = &[
    // What everything stands on.
    "ids", "machine", "layout", "nls", "spelling", "trace", //
    // The areas. Each knows its own state and what is named before it.
    "se", "ke", "ob", "io", "mm", "lpc", "cm", "ps", "ex", //
    // The areas in one system, and the services that span them.
    "system", //
    // Ways to look at it and to call it.
    "services", "dump", "host",
];

/// Where the executive's root re-exports from: `crate::Executive` means `crate::system::Executive`.
const EXECUTIVE_ROOT: &str = "system";

/// The modules of a crate: their paths, and what each imports.
type Graph = BTreeMap<Vec<String>, BTreeSet<Vec<String>>>;

/// Every path that a file imports or mentions, as it is written.
#[derive(Default)]
struct Paths {
    found: Vec<Vec<String>>,
    /// How many modules that have no file of their own the reader is in.
    inline: usize,
}

impl Paths {
    /// Notes a path as it would be written at the top of the file.
    fn note(&mut self, path: Vec<String>) {
        let supers = path.iter().take_while(|name| *name == "super").count();
        if supers == 0 || supers > self.inline {
            let inside = self.inline.min(supers);
            self.found.push(path[inside..].to_vec());
        }
    }

    fn tree(&mut self, before: &[String], tree: &syn::UseTree) {
        let with = |name: &syn::Ident| [before, &[name.to_string()]].concat();
        match tree {
            syn::UseTree::Path(path) => self.tree(&with(&path.ident), &path.tree),
            syn::UseTree::Name(name) => self.note(with(&name.ident)),
            syn::UseTree::Rename(rename) => self.note(with(&rename.ident)),
            syn::UseTree::Glob(_) => self.note(before.to_vec()),
            syn::UseTree::Group(group) => {
                group.items.iter().for_each(|item| self.tree(before, item));
            }
        }
    }
}

impl<'ast> Visit<'ast> for Paths {
    fn visit_item(&mut self, item: &'ast syn::Item) {
        let attributes = match item {
            syn::Item::Mod(item) => &item.attrs[..],
            syn::Item::Use(item) => &item.attrs[..],
            syn::Item::Fn(item) => &item.attrs[..],
            syn::Item::Impl(item) => &item.attrs[..],
            _ => &[],
        };
        if !attributes.iter().any(only_for_tests) {
            visit::visit_item(self, item);
        }
    }

    fn visit_item_use(&mut self, item: &'ast syn::ItemUse) {
        self.tree(&[], &item.tree);
    }

    fn visit_item_mod(&mut self, item: &'ast syn::ItemMod) {
        self.inline += 1;
        visit::visit_item_mod(self, item);
        self.inline -= 1;
    }

    /// Who may see an item is no import.
    fn visit_visibility(&mut self, _: &'ast syn::Visibility) {}

    fn visit_path(&mut self, path: &'ast syn::Path) {
        let segments = path.segments.iter();
        self.note(segments.map(|segment| segment.ident.to_string()).collect());
        visit::visit_path(self, path);
    }
}

fn only_for_tests(attribute: &syn::Attribute) -> bool {
    attribute.path().is_ident("cfg")
        && attribute
            .parse_args::<syn::Path>()
            .is_ok_and(|condition| condition.is_ident("test"))
}

/// Reads a crate's modules below `source`.
fn graph(source: &Path) -> Graph {
    let mut files = BTreeMap::new();
    collect(source, &mut Vec::new(), &mut files);
    let modules: BTreeSet<Vec<String>> = files.keys().cloned().collect();
    let imports = |(module, text): (&Vec<String>, &String)| {
        let file = syn::parse_file(text).expect("a source file that compiles");
        let mut paths = Paths::default();
        paths.visit_file(&file);
        let targets = paths
            .found
            .iter()
            .filter_map(|path| resolve(module, path, &modules))
            .filter(|target| target != module && !target.starts_with(module))
            .collect();
        (module.clone(), targets)
    };
    files.iter().map(imports).collect()
}

/// Every source file that is no test, by the path of its module.
fn collect(folder: &Path, at: &mut Vec<String>, files: &mut BTreeMap<Vec<String>, String>) {
    for entry in fs::read_dir(folder).expect("a folder of sources") {
        let path = entry.expect("an entry").path();
        let name = path.file_stem().unwrap_or_default().to_string_lossy();
        if name == "tests" || name.ends_with("_tests") {
            continue;
        }
        if path.is_dir() {
            at.push(name.into_owned());
            collect(&path, at, files);
            at.pop();
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            let mut module = at.clone();
            if !matches!(&*name, "lib" | "main" | "mod") {
                module.push(name.into_owned());
            }
            files.insert(module, fs::read_to_string(&path).expect("a text"));
        }
    }
}

/// The module that a path leads into, if it starts with `crate` or `super`.
fn resolve(
    module: &[String],
    path: &[String],
    modules: &BTreeSet<Vec<String>>,
) -> Option<Vec<String>> {
    let supers = path.iter().take_while(|name| *name == "super").count();
    let base = match path.first()?.as_str() {
        "crate" => &[],
        "super" => module.get(..module.len().checked_sub(supers)?)?,
        _ => return None,
    };
    let full = [base, &path[supers.max(1)..]].concat();
    (0..=full.len())
        .rev()
        .map(|length| full[..length].to_vec())
        .find(|prefix| modules.contains(prefix))
}

/// The modules of a circle, if there is one: what is left when every module that imports nothing
/// that is left, or that nothing left imports, is taken away.
fn circle(graph: &Graph) -> Vec<String> {
    let mut left: BTreeSet<&Vec<String>> = graph.keys().collect();
    loop {
        let before = left.len();
        let kept = left.clone();
        left.retain(|module| graph[*module].iter().any(|target| kept.contains(target)));
        let kept = left.clone();
        left.retain(|module| kept.iter().any(|from| graph[*from].contains(*module)));
        if left.len() == before {
            return left.iter().map(|module| module.join("::")).collect();
        }
    }
}

#[test]
fn imports_between_the_executives_folders_run_one_way() {
    let source = crate::paths::root().join("kernel-shim/executive/src");
    let place = |name: &str| EXECUTIVE.iter().position(|known| *known == name);
    let modules = graph(&source);
    let mut seen = BTreeSet::new();
    for (module, targets) in &modules {
        let Some(from) = module.first() else { continue };
        let own = place(from).unwrap_or_else(|| panic!("say in EXECUTIVE where {from} stands"));
        seen.insert(own);
        for target in targets {
            let to = target.first().map_or(EXECUTIVE_ROOT, String::as_str);
            assert!(
                place(to).is_some_and(|to| to <= own),
                "{} imports {}, which stands above it",
                module.join("::"),
                target.join("::")
            );
        }
    }
    assert_eq!(seen.len(), EXECUTIVE.len(), "EXECUTIVE names what is gone");
}

#[test]
fn no_files_of_a_crate_import_each_other_in_a_circle() {
    let crates = crate::paths::root().join("crates");
    let mut looked_at = 0;
    for entry in fs::read_dir(crates).expect("the crates") {
        let folder = entry.expect("an entry").path();
        let name = folder.file_name().unwrap_or_default().to_owned();
        let source = folder.join("src");
        if source.is_dir() {
            assert_eq!(circle(&graph(&source)), [""; 0], "{}", name.display());
            looked_at += 1;
        }
    }
    assert!(looked_at > 5, "there are more crates than {looked_at}");
}

#[test]
fn a_circle_is_found_and_a_fork_is_none() {
    let graph = |edges: &[(&str, &str)]| {
        let mut graph = Graph::new();
        for (from, to) in edges {
            let [from, to] = [from, to].map(|name| vec![(*name).to_owned()]);
            graph.entry(to.clone()).or_default();
            graph.entry(from).or_default().insert(to);
        }
        graph
    };
    let fork = graph(&[("a", "b"), ("a", "c"), ("b", "d"), ("c", "d")]);
    assert_eq!(circle(&fork), [""; 0]);
    let round = graph(&[("z", "a"), ("a", "b"), ("b", "c"), ("c", "a"), ("c", "d")]);
    assert_eq!(circle(&round), ["a", "b", "c"]);
}

#[test]
fn imports_are_read_wherever_they_stand() {
    let modules: BTreeSet<Vec<String>> = [vec![], vec!["a".into()], vec!["a".into(), "b".into()]]
        .into_iter()
        .collect();
    let from = ["a".to_owned(), "b".to_owned()];
    let text = "use crate::{a::Thing, other}; fn f() -> super::Thing { crate::a::b::g() }
        mod inline { use super::own; use super::super::Thing; }
        #[cfg(test)] mod tests { use crate::hidden; }";
    let mut paths = Paths::default();
    paths.visit_file(&syn::parse_file(text).expect("a file"));
    let found: Vec<_> = paths
        .found
        .iter()
        .filter_map(|path| resolve(&from, path, &modules))
        .map(|module| module.join("::"))
        .collect();
    assert_eq!(found, ["a", "", "a", "a::b", "a"]);
}

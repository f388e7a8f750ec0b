//! The house holds together: which way the arrows run, what the pure part may not name, how long a file may be.

use std::fs;
use std::path::{Path, PathBuf};

use crate::support::project;

/// What each module may use of the crate, besides itself.
const ARROWS: &[(&str, &[&str])] = &[
    ("model", &[]),
    ("outcome", &[]),
    ("wire", &[]),
    ("mappings", &["model"]),
    ("formats", &[]),
    ("sandbox", &[]),
    ("report", &["model", "outcome"]),
    ("rules", &["model"]),
    ("intake", &["mappings", "model"]),
    ("adapter", &["model", "wire"]),
    ("vendors", &["adapter", "formats", "mappings", "model", "outcome", "rules", "wire"]),
    ("engine", &["adapter", "model", "outcome", "report", "wire"]),
    ("journal", &["adapter", "engine", "model", "report"]),
    ("transport", &["wire"]),
    // The bridge alone brings the engine's decisions, the journal and the transport together.
    (
        "bridge",
        &[
            "adapter",
            "engine",
            "formats",
            "intake",
            "journal",
            "model",
            "outcome",
            "report",
            "rules",
            "transport",
            "vendors",
            "wire",
        ],
    ),
    ("secrets", &["wire"]),
    ("config", &["adapter", "outcome", "rules", "secrets", "vendors", "wire"]),
    (
        "cli",
        &[
            "adapter", "bridge", "config", "engine", "intake", "journal", "mappings", "model", "outcome", "report", "rules",
            "sandbox", "vendors", "wire",
        ],
    ),
    ("main", &["cli"]),
];

/// Where there is no socket, no file, no clock, no chance.
const PURE: &[&str] = &[
    "model/",
    "formats/",
    "vendors/",
    "mappings/",
    "intake/",
    "engine/",
    "journal/mod.rs",
    "journal/intent.rs",
    "journal/memory.rs",
    "journal/shared.rs",
    "journal/stored.rs",
    "adapter.rs",
    "adapter/",
    "outcome.rs",
    "report.rs",
    "rules.rs",
    "wire.rs",
    "bridge/prepare.rs",
    "bridge/seen.rs",
    "bridge/settle.rs",
    "bridge/translate.rs",
];

const IMPURE_WORDS: &[&str] = &[
    "reqwest",
    "tokio",
    "rusqlite",
    "tempfile",
    "std::fs",
    "std::env",
    "std::net",
    "std::process",
    "SystemTime",
    "Instant",
    "Timestamp::now",
    "Zoned::now",
    "fastrand",
    "rand::",
];

/// A file of `src`: its path below it, and its code without comments and without its tests.
struct File {
    path: String,
    code: String,
    lines: usize,
}

fn files() -> Vec<File> {
    fn walk(folder: &Path, all: &mut Vec<PathBuf>) {
        for entry in fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                walk(&path, all);
            } else if path.extension().is_some_and(|extension| extension == "rs") {
                all.push(path);
            }
        }
    }
    let root = project("src");
    let mut paths = Vec::new();
    walk(&root, &mut paths);
    assert!(paths.len() > 40, "the sources were not found");
    paths
        .into_iter()
        .map(|path| {
            let text = fs::read_to_string(&path).unwrap();
            let code = text.split("#[cfg(test)]").next().unwrap_or_default();
            let code = code.lines().filter(|line| !line.trim_start().starts_with("//")).collect::<Vec<_>>().join("\n");
            let path = path.strip_prefix(&root).unwrap().to_str().unwrap().replace('\\', "/");
            File { path, code, lines: text.lines().count() }
        })
        .collect()
}

fn module(path: &str) -> &str {
    path.split('/').next().unwrap_or_default().trim_end_matches(".rs")
}

/// The modules that a piece of code names as `crate::…`, also in a list of imports.
fn named_modules(code: &str) -> Vec<String> {
    let mut named = Vec::new();
    for rest in code.split("crate::").skip(1) {
        let word = |text: &str| text.chars().take_while(|c| c.is_alphanumeric() || *c == '_').collect::<String>();
        match rest.strip_prefix('{') {
            Some(list) => named.extend(list.split('}').next().unwrap_or_default().split(',').map(|part| word(part.trim()))),
            None => named.push(word(rest)),
        }
    }
    named
}

#[test]
fn arrows_run_one_way() {
    for file in files().iter().filter(|file| file.path != "lib.rs") {
        let here = module(&file.path);
        let (_, allowed) =
            ARROWS.iter().find(|(module, _)| *module == here).unwrap_or_else(|| panic!("{here} has no place in the house"));
        for named in named_modules(&file.code) {
            assert!(named == here || allowed.contains(&named.as_str()), "{} must not use {named}", file.path);
        }
    }
}

#[test]
fn the_pure_part_names_nothing_of_the_world() {
    for file in files().iter().filter(|file| PURE.iter().any(|pure| file.path.starts_with(pure))) {
        for word in IMPURE_WORDS {
            assert!(!file.code.contains(word), "{} names {word}", file.path);
        }
    }
}

#[test]
fn one_place_knows_the_database() {
    for file in files().iter().filter(|file| !file.path.starts_with("journal/sqlite/")) {
        assert!(!file.code.contains("rusqlite"), "{} names rusqlite", file.path);
    }
}

#[test]
fn no_vendor_has_a_name_in_the_model() {
    for file in files().iter().filter(|file| file.path.starts_with("model/")) {
        let text = fs::read_to_string(project("src").join(&file.path)).unwrap().to_lowercase();
        for vendor in ["tipalti", "amazon", "aws"] {
            assert!(!text.contains(vendor), "{} names {vendor}", file.path);
        }
    }
}

#[test]
fn vendors_do_not_know_each_other_and_keep_their_wire_to_themselves() {
    for file in files().iter().filter(|file| file.path.starts_with("vendors/")) {
        let Some((vendor, _)) = file.path.trim_start_matches("vendors/").split_once('/') else { continue };
        for other in ["tipalti", "amazon", "aws"].into_iter().filter(|other| *other != vendor) {
            assert!(!file.code.contains(&format!("vendors::{other}")), "{} uses {other}", file.path);
        }
    }
    let lines: Vec<String> =
        files().into_iter().filter(|file| file.path == "vendors/tipalti/mod.rs").map(|file| file.code).collect();
    for private in ["mod wire;", "mod map;", "mod check;", "mod reply;"] {
        assert!(lines.iter().all(|code| code.contains(private) && !code.contains(&format!("pub {private}"))), "{private}");
    }
}

#[test]
fn one_place_tells_vendors_apart() {
    let outside = files().into_iter().filter(|file| !file.path.starts_with("vendors/") && !file.path.starts_with("sandbox/"));
    for file in outside {
        for arm in ["Vendor::Tipalti", "VendorKind::Tipalti", "Settings::Tipalti"] {
            assert!(!file.code.contains(arm), "{} has an arm for {arm}", file.path);
        }
    }
}

#[test]
fn no_binary_float_anywhere() {
    for file in files() {
        for float in ["f32", "f64"] {
            let is_word = |at: usize| {
                let before = file.code[..at].chars().next_back().is_none_or(|c| !c.is_alphanumeric() && c != '_');
                let after = file.code[at + float.len()..].chars().next().is_none_or(|c| !c.is_alphanumeric() && c != '_');
                before && after
            };
            assert!(!file.code.match_indices(float).any(|(at, _)| is_word(at)), "{} has {float}", file.path);
        }
    }
}

#[test]
fn files_stay_short_and_say_what_they_are_for() {
    for file in files() {
        assert!(file.lines <= 400, "{} has {} lines; split it by meaning", file.path, file.lines);
        let text = fs::read_to_string(project("src").join(&file.path)).unwrap();
        assert!(text.starts_with("//!"), "{} does not say what it is for", file.path);
    }
}

// SPDX-License-Identifier: GPL-2.0-or-later
//! The report in a real browser: it opens without a complaint, folds, filters, hints and keys work, it
//! fits a phone, and it follows the reader's light or dark setting. Without a Chromium these tests say
//! that they were skipped.

use super::browser::{self, Browser, View};
use super::chart::Run;
use super::page;
use super::recording::Recording;
use super::timeline::Timeline;
use anyhow::{Result, bail};
use serde_json::{Value as Json, json};
use std::io::Write;

const TRACE: &str = r#"smss.exe  0.1000000 c.0 +++ smss.exe started by 4, session none +++
smss.exe  0.1000200 c.10 NtContinue(context=0x1) does not return
smss.exe  0.1100000 c.10 --- SMSS: phase: 9 registry ---
smss.exe  0.1150000 c.10 NtOpenKey(key=0x8, name="\\Registry\\Machine") = SUCCESS <0.0002000>
smss.exe  0.1160000 c.10 NtQueryValueKey(name="A", buffer={REG_SZ "<b>x</b>"}) = SUCCESS <0.0001000>
smss.exe  0.1170000 c.10 NtOpenKey(key=0x12, name="None") = OBJECT_NAME_NOT_FOUND <0.0002000>
smss.exe  0.1200000 c.10 NtOpenFile(name="\\??\\C:\\a") = SUCCESS <0.0050000>
csrss.exe  0.1290000 1c.0 +++ csrss.exe started by c, session 0 +++
smss.exe  0.1300000 c.10 NtWaitForSingleObject(object=0x1c<Process 1c csrss.exe>, timeout=forever) waits
csrss.exe  0.1400000 1c.20 NtReplyWaitReceivePort(port=0x4<\\ApiPort>) waits
smss.exe  0.1600000 c.10 NtWaitForSingleObject() = SUCCESS <0.0300000>
smss.exe  0.1700000 c.10 --- SMSS: phase: 39 settled: waiting ---
"#;

const LOG: &str = "[    0.001] kernel up\n[    0.110] SMSS: phase: 9 registry\n\
                   [    0.120] SMSS: a: STATUS_ACCESS_DENIED (C0000022): skipped\n\
                   [    0.170] SHIM-SETTLED\n";

const DESK: View = View {
    width: 1200,
    height: Some(900),
    dark: false,
};
const PHONE: View = View { width: 390, ..DESK };

fn report() -> String {
    let object = |path: &str| json!({"path": path, "type": "Directory", "permanent": true, "security": "O:BAG:SYD:(A;;0x20003;;;WD)"});
    let after = json!({
        "objects": [object("\\"), object("\\Windows"), object("\\Windows\\WindowStations")],
        "registry": [], "processes": [], "pagingFiles": [], "files": [],
    });
    let before = json!({"objects": [object("\\")], "registry": [], "files": []});
    let recording = Recording::from_texts(
        "a run",
        TRACE,
        &after.to_string(),
        Some(&before.to_string()),
        LOG,
    )
    .unwrap();
    let timeline = Timeline::of(TRACE);
    let run = Run {
        recording: &recording,
        timeline: &timeline,
    };
    page::page(&[run, run])
}

/// Rows of the table of calls that are shown.
const ROWS: &str =
    "[...document.querySelectorAll('#all-calls tr')].filter(row => row.checkVisibility()).length";

/// What a person does.
impl Browser {
    /// The value of an expression in the page; what it promises is waited for.
    fn evaluate(&mut self, expression: &str) -> Result<Json> {
        let answer = self.ask(
            "Runtime.evaluate",
            json!({"expression": expression, "returnByValue": true, "awaitPromise": true}),
        )?;
        if !answer["exceptionDetails"].is_null() {
            bail!("`{expression}`: {}", answer["exceptionDetails"]);
        }
        Ok(answer["result"]["value"].clone())
    }

    /// Types text into what has the focus.
    fn type_text(&mut self, text: &str) -> Result<()> {
        self.ask("Input.insertText", json!({ "text": text }))?;
        Ok(())
    }

    /// Presses a key, such as `ArrowRight`.
    fn press(&mut self, key: &str) -> Result<()> {
        for kind in ["keyDown", "keyUp"] {
            let mut event = json!({"type": kind, "key": key, "code": key});
            if key == "Enter" {
                // What a key does by default follows its character.
                event["text"] = json!("\r");
                event["windowsVirtualKeyCode"] = json!(13);
            }
            self.ask("Input.dispatchKeyEvent", event)?;
        }
        Ok(())
    }
}

/// The report in a browser; none where there is no Chromium.
fn opened(view: View) -> Option<(Browser, tempfile::TempDir)> {
    let Some(program) = browser::installed() else {
        // Not by `println!`, which is not shown of a test that passes.
        let _ = writeln!(
            std::io::stderr(),
            "skipped: the report in a browser needs Chromium (apt-get install chromium)"
        );
        return None;
    };
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("report.html");
    std::fs::write(&file, report()).unwrap();
    Some((Browser::open(&program, &file, view).unwrap(), folder))
}

#[test]
fn the_report_opens_without_a_complaint_and_loads_nothing() {
    let Some((mut browser, _folder)) = opened(DESK) else {
        return;
    };
    let loaded = browser
        .evaluate("performance.getEntriesByType('resource').length")
        .unwrap();
    assert_eq!((browser.complaints.clone(), loaded), (vec![], json!(0)));
    // What a run said is text in it, and no element.
    assert_eq!(
        browser
            .evaluate("document.querySelectorAll('.arguments b').length")
            .unwrap(),
        0
    );
}

#[test]
fn a_fold_of_the_namespace_opens() {
    let Some((mut browser, _folder)) = opened(DESK) else {
        return;
    };
    let shown = "document.querySelector('.tree details details .security').checkVisibility()";
    assert_eq!(browser.evaluate(shown).unwrap(), false);
    browser
        .evaluate("document.querySelector('.tree details details > summary').focus()")
        .unwrap();
    browser.press("Enter").unwrap();
    assert_eq!(browser.evaluate(shown).unwrap(), true);
    browser
        .evaluate("document.getElementById('fold').click()")
        .unwrap();
    assert_eq!(
        browser
            .evaluate("document.querySelectorAll('.tree details[open]').length")
            .unwrap(),
        0
    );
}

#[test]
fn the_filters_of_calls_and_log_filter() {
    const LINES: &str =
        "[...document.querySelectorAll('.log li')].filter(line => line.checkVisibility()).length";
    let Some((mut browser, _folder)) = opened(DESK) else {
        return;
    };
    assert_eq!(browser.evaluate(ROWS).unwrap(), 14);
    browser
        .evaluate("document.getElementById('filter').focus()")
        .unwrap();
    browser.type_text("ntopenkey").unwrap();
    // The filter waits for the next letter.
    let later = format!("new Promise(done => setTimeout(() => done({ROWS}), 200))");
    assert_eq!(browser.evaluate(&later).unwrap(), 4);
    let told = "document.getElementById('shown').textContent";
    assert_eq!(browser.evaluate(told).unwrap(), "4 of 14 calls");
    browser
        .evaluate("document.getElementById('only-failed').click()")
        .unwrap();
    assert_eq!(browser.evaluate(ROWS).unwrap(), 2);
    assert_eq!(browser.evaluate(LINES).unwrap(), 4);
    browser
        .evaluate("document.querySelector('[data-level=\"step\"]').click()")
        .unwrap();
    assert_eq!(browser.evaluate(LINES).unwrap(), 1);
    assert_eq!(browser.complaints, Vec::<String>::new());
}

#[test]
fn the_chart_is_read_with_the_arrow_keys() {
    let Some((mut browser, _folder)) = opened(DESK) else {
        return;
    };
    browser
        .evaluate("document.querySelector('#canvas > .chart').focus()")
        .unwrap();
    let tip =
        "document.getElementById('tip').hidden ? '' : document.getElementById('tip').textContent";
    assert_eq!(browser.evaluate(tip).unwrap(), "");
    browser.press("ArrowRight").unwrap();
    browser.press("ArrowRight").unwrap();
    let hint = browser.evaluate(tip).unwrap();
    let hint = hint.as_str().unwrap_or_default();
    assert!(
        hint.starts_with("NtOpenKey = SUCCESS") && hint.contains("\\Registry\\Machine"),
        "{hint}"
    );
    browser.press("Enter").unwrap();
    assert_eq!(
        browser.evaluate("document.activeElement.id").unwrap(),
        "call-0-1"
    );
    assert_eq!(browser.complaints, Vec::<String>::new());
}

/// The second run is in the summary and in the table, and its marks lead to its own calls.
#[test]
fn the_second_run_is_as_whole_as_the_first() {
    let Some((mut browser, _folder)) = opened(DESK) else {
        return;
    };
    let summary =
        "[...document.querySelectorAll('.summary tbody tr')].map(row => row.textContent).join()";
    let summary = browser.evaluate(summary).unwrap();
    let summary = summary.as_str().unwrap_or_default();
    assert!(summary.contains("system calls77"), "{summary}");
    let choose = |value: &str| {
        format!(
            "(() => {{ const by = document.getElementById('by-process'); by.value = '{value}'; \
             by.dispatchEvent(new Event('change')); return by.selectedOptions[0].textContent; }})()"
        )
    };
    let chosen = browser.evaluate(&choose("1-")).unwrap();
    assert_eq!(chosen, "\u{2461} every process");
    assert_eq!(browser.evaluate(ROWS).unwrap(), 7);
    browser.evaluate(&choose("1-1")).unwrap();
    assert_eq!(browser.evaluate(ROWS).unwrap(), 1);
    let mark = "(() => { const mark = document.querySelector('[data-call=\"1-1\"]'); \
                for (const _ of [0, 1]) mark.dispatchEvent(new Event('click', {bubbles: true})); \
                return document.activeElement.id; })()";
    assert_eq!(browser.evaluate(mark).unwrap(), "call-1-1");
    assert_eq!(browser.complaints, Vec::<String>::new());
}

#[test]
fn the_report_fits_a_phone_and_follows_the_dark() {
    let Some((mut browser, _folder)) = opened(PHONE) else {
        return;
    };
    let width = "document.documentElement.scrollWidth";
    assert_eq!(browser.evaluate(width).unwrap(), 390);
    let paper = "getComputedStyle(document.body).backgroundColor";
    assert_eq!(browser.evaluate(paper).unwrap(), "rgb(255, 255, 255)");
    browser
        .look(View {
            dark: true,
            ..PHONE
        })
        .unwrap();
    assert_eq!(browser.evaluate(paper).unwrap(), "rgb(20, 23, 26)");
    assert_eq!(browser.evaluate(width).unwrap(), 390);
}

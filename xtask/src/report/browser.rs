// SPDX-License-Identifier: GPL-2.0-or-later
//! A Chromium without a window, driven over the DevTools protocol: the report is looked at in it, and
//! its tests use it as a person would.
//!
//! The protocol runs through two pipes, messages ended by NUL, so that neither a port nor a socket is
//! opened. Chromium expects the pipes as descriptors 3 and 4, which a shell gives it.

use anyhow::{Context, Result, bail};
use base64::Engine;
use serde_json::{Value as Json, json};
use std::io::{BufRead, BufReader, Write};
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdin, Command, Stdio};
use std::sync::mpsc::{self, Receiver};
use std::time::{Duration, Instant};

/// An answer that has not come by then never will.
const LIMIT: Duration = Duration::from_secs(60);

/// How a page is looked at.
#[derive(Clone, Copy, Debug)]
pub struct View {
    /// CSS pixels.
    pub width: u32,
    /// The same; the whole page if none.
    pub height: Option<u32>,
    /// Whether the reader prefers light on dark.
    pub dark: bool,
}

/// A browser with one page.
pub struct Browser {
    child: Child,
    commands: ChildStdin,
    answers: Receiver<Json>,
    profile: PathBuf,
    session: Option<String>,
    number: u64,
    /// What the page and its script complained of.
    pub complaints: Vec<String>,
    loaded: bool,
}

/// Where a Chromium is installed.
pub fn installed() -> Option<PathBuf> {
    ["chromium", "chromium-browser", "google-chrome"]
        .iter()
        .find_map(|name| which::which(name).ok())
}

impl Browser {
    /// Starts it and opens a file.
    ///
    /// # Errors
    /// It cannot be started, or does not answer.
    pub fn open(program: &Path, page: &Path, view: View) -> Result<Self> {
        let profile = std::env::temp_dir().join(format!(
            "smss-browser-{}-{:?}",
            std::process::id(),
            std::thread::current().id()
        ));
        std::fs::create_dir_all(&profile)?;
        let mut child = Command::new("sh")
            .args(["-c", "exec \"$0\" \"$@\" 3<&0 4>&1 </dev/null >/dev/null"])
            .arg(program)
            .args([
                "--headless",
                // Its sandbox does not work for root, and the page is our own.
                "--no-sandbox",
                "--disable-gpu",
                "--disable-background-networking",
                "--disable-dev-shm-usage",
                "--no-first-run",
                "--hide-scrollbars",
                "--remote-debugging-pipe",
            ])
            .arg(format!("--user-data-dir={}", profile.display()))
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .context("cannot start Chromium")?;
        let commands = child.stdin.take().context("Chromium has no input")?;
        let output = child.stdout.take().context("Chromium has no output")?;
        let (sender, answers) = mpsc::channel();
        std::thread::spawn(move || {
            for message in BufReader::new(output).split(0).map_while(Result::ok) {
                let Ok(message) = serde_json::from_slice(&message) else {
                    continue;
                };
                if sender.send(message).is_err() {
                    return;
                }
            }
        });
        let mut this = Self {
            child,
            commands,
            answers,
            profile,
            session: None,
            number: 0,
            complaints: Vec::new(),
            loaded: false,
        };
        let target = this.ask("Target.createTarget", json!({"url": "about:blank"}))?;
        let attach = json!({"targetId": target["targetId"], "flatten": true});
        let attached = this.ask("Target.attachToTarget", attach)?;
        this.session = attached["sessionId"].as_str().map(str::to_owned);
        for domain in ["Page.enable", "Runtime.enable", "Log.enable"] {
            this.ask(domain, json!({}))?;
        }
        this.look(view)?;
        let page = std::path::absolute(page)?;
        this.loaded = false;
        this.ask(
            "Page.navigate",
            json!({"url": format!("file://{}", page.display())}),
        )?;
        let start = Instant::now();
        while !this.loaded {
            this.next(start)?;
        }
        Ok(this)
    }

    /// Changes how the page is looked at.
    ///
    /// # Errors
    /// The browser does not answer.
    pub fn look(&mut self, view: View) -> Result<()> {
        let height = view.height.unwrap_or(800);
        self.ask(
            "Emulation.setDeviceMetricsOverride",
            json!({"width": view.width, "height": height, "deviceScaleFactor": 1, "mobile": false}),
        )?;
        let scheme = if view.dark { "dark" } else { "light" };
        self.ask(
            "Emulation.setEmulatedMedia",
            json!({"features": [{"name": "prefers-color-scheme", "value": scheme}]}),
        )?;
        Ok(())
    }

    /// Saves what is seen as PNG: the window, or the whole page where the view has no height.
    ///
    /// # Errors
    /// The browser does not answer, or the file cannot be written.
    pub fn picture(&mut self, view: View, file: &Path) -> Result<()> {
        let whole = view.height.is_none();
        let answer = self.ask(
            "Page.captureScreenshot",
            json!({"format": "png", "captureBeyondViewport": whole}),
        )?;
        let data = answer["data"].as_str().context("no picture came")?;
        let bytes = base64::engine::general_purpose::STANDARD
            .decode(data)
            .context("the picture is damaged")?;
        std::fs::write(file, bytes).with_context(|| format!("cannot write {}", file.display()))
    }

    /// Sends a command and waits for its answer.
    ///
    /// # Errors
    /// The browser refuses it, or does not answer.
    pub fn ask(&mut self, method: &str, parameters: Json) -> Result<Json> {
        self.number += 1;
        let number = self.number;
        let mut message = json!({"id": number, "method": method, "params": parameters});
        if let Some(session) = &self.session {
            message["sessionId"] = json!(session);
        }
        self.commands.write_all(message.to_string().as_bytes())?;
        self.commands.write_all(b"\0")?;
        self.commands.flush()?;
        let start = Instant::now();
        loop {
            let answer = self.next(start)?;
            if answer["id"] != number {
                continue;
            }
            if !answer["error"].is_null() {
                bail!("{method}: {}", answer["error"]["message"]);
            }
            return Ok(answer["result"].clone());
        }
    }

    /// The next message; events are noted.
    fn next(&mut self, since: Instant) -> Result<Json> {
        let left = LIMIT.saturating_sub(since.elapsed());
        let message = self
            .answers
            .recv_timeout(left)
            .context("Chromium does not answer")?;
        let parameters = &message["params"];
        match message["method"].as_str() {
            Some("Page.loadEventFired") => self.loaded = true,
            Some("Runtime.exceptionThrown") => self
                .complaints
                .push(parameters["exceptionDetails"].to_string()),
            Some("Runtime.consoleAPICalled") if parameters["type"] == "error" => {
                self.complaints.push(parameters["args"].to_string());
            }
            Some("Log.entryAdded") if parameters["entry"]["level"] == "error" => {
                self.complaints
                    .push(parameters["entry"]["text"].to_string());
            }
            _ => {}
        }
        Ok(message)
    }
}

impl Drop for Browser {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
        let _ = std::fs::remove_dir_all(&self.profile);
    }
}

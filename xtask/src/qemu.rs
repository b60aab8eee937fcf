// SPDX-License-Identifier: GPL-2.0-or-later
//! One run of QEMU: its command line, its life, and the judgement on it.
//!
//! A run passes only on proof: the kernel's sentinel line AND its exact exit code. A time-out, a
//! triple fault, exit 0 and exit 1 are failures, each with its own message. The one run that may
//! end with 0 is that of a machine which switches itself off: it is not ended by a reset, so that
//! nothing but ACPI's power-off ends it so. QEMU dies with xtask: it is killed when [`Qemu`] is
//! dropped, on Ctrl-C, and (through `setpriv --pdeathsig`) when xtask itself is killed.

use crate::arch::Arch;
use crate::platform::{self, Door};
use crate::{paths, ui};
use anyhow::{Context, Result, bail};
use std::io::{BufRead, BufReader, Read, Write};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{self, RecvTimeoutError};
use std::sync::{Arc, Mutex, Once, OnceLock};
use std::time::{Duration, Instant};

/// How the kernel says that it ended: `isa-debug-exit` turns the value v it writes into the exit
/// code 2v+1.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum End {
    /// Settled, or shut down, as it was asked to.
    Pass,
    /// The kernel found something wrong.
    Failure,
    /// KeBugCheckEx.
    Bugcheck,
    /// The machine has switched itself off, as a real one does.
    PowerOff,
}

impl End {
    /// QEMU's exit code.
    pub const fn code(self) -> i32 {
        match self {
            Self::Pass => 33,
            Self::Failure => 35,
            Self::Bugcheck => 37,
            Self::PowerOff => 0,
        }
    }

    /// The last line the kernel prints.
    pub const fn sentinel(self) -> &'static str {
        match self {
            Self::Pass => "kernel exit: pass",
            Self::Failure => "kernel exit: failure",
            Self::Bugcheck => "kernel exit: bugcheck",
            Self::PowerOff => "shutdown: PowerOff",
        }
    }
}

/// What the machine boots.
pub enum Boot<'a> {
    /// The kernel itself, without a boot loader.
    Direct(&'a Path),
    /// A CD-ROM.
    Iso(&'a Path),
    /// A disk on the IDE controller, which every system has a driver for.
    Disk(&'a Path),
}

/// What a running machine does next.
pub enum Next {
    /// It says a line.
    Line(String),
    /// It says nothing within the time, or has not finished its line.
    Silence,
    /// It has ended.
    End,
}

/// A machine to run.
pub struct Setup<'a> {
    /// Its processor, which is what a debugger sees: one of 64 bits runs what is for 32 as well.
    pub processor: Arch,
    /// What it boots.
    pub boot: Boot<'a>,
    /// The image of its virtio disk.
    pub disk: Option<&'a Path>,
    /// A sector of that disk which cannot be read.
    pub unreadable: Option<u64>,
    /// Its memory in MiB.
    pub memory: u32,
    /// The kernel's command line (direct boot; the ISO carries its own).
    pub arguments: String,
    /// Whether a window is shown.
    pub window: bool,
    /// Whether a reset starts the machine again; otherwise it ends the run.
    pub restarts: bool,
    /// Further QEMU options.
    pub more: Vec<String>,
}

/// A QEMU under way.
pub struct Qemu {
    child: Child,
    lines: mpsc::Receiver<String>,
    unfinished: Arc<Mutex<String>>,
    log: std::fs::File,
    events: Option<Events>,
    sentinel: Option<End>,
    /// When QEMU was started.
    pub started: Instant,
    /// QEMU's control socket.
    pub qmp: Door,
    /// Another one, for its events.
    events_door: Door,
}

static RUNNING: Mutex<Option<u32>> = Mutex::new(None);

/// Ctrl-C is meant for another program that xtask has given the terminal to, such as GDB.
pub static INTERRUPTS_ARE_OTHERS: AtomicBool = AtomicBool::new(false);

fn kill_on_interrupt() {
    static ONCE: Once = Once::new();
    ONCE.call_once(|| {
        let _ = ctrlc::set_handler(|| {
            if INTERRUPTS_ARE_OTHERS.load(Ordering::Relaxed) {
                return;
            }
            if let Some(pid) = RUNNING.lock().ok().and_then(|running| *running) {
                platform::kill(pid);
            }
            std::process::exit(130);
        });
    });
}

/// The accelerator: KVM if it can really be opened, else TCG.
pub fn accelerator() -> &'static str {
    // The CD's boot loader was seen to hang under KVM on some hosts, and TCG is quick enough, so
    // KVM is asked for, never assumed.
    let wanted = std::env::var("SMSS_ACCEL").is_ok_and(|value| value == "kvm");
    if wanted
        && std::fs::OpenOptions::new()
            .read(true)
            .write(true)
            .open("/dev/kvm")
            .is_ok()
    {
        "kvm"
    } else {
        "tcg"
    }
}

impl Qemu {
    /// Starts QEMU; its serial line goes to `log` as well.
    pub fn start(setup: &Setup<'_>, log: &Path) -> Result<Self> {
        kill_on_interrupt();
        let name = format!("smss-qmp-{}-{}", std::process::id(), unique());
        let qmp = Door::new(&name)?;
        let events = Door::new(&format!("{name}.events"))?;
        let mut arguments: Vec<String> = vec![
            "-accel".into(),
            accelerator().into(),
            "-m".into(),
            setup.memory.to_string(),
            "-serial".into(),
            "stdio".into(),
            "-monitor".into(),
            "none".into(),
            "-qmp".into(),
            qmp.for_qemu(),
            "-qmp".into(),
            events.for_qemu(),
            "-device".into(),
            "isa-debug-exit,iobase=0xf4,iosize=4".into(),
            "-net".into(),
            "none".into(),
        ];
        if !setup.restarts {
            arguments.push("-no-reboot".into());
        }
        if let Some(disk) = setup.disk {
            let file = disk.display();
            let drive = match setup.unreadable {
                None => format!("file={file},if=none,id=disk,format=raw,cache=unsafe"),
                // EIO, each time.
                Some(sector) => format!(
                    "if=none,id=disk,driver=raw,cache=unsafe,file.driver=blkdebug,\
                     file.image.driver=file,file.image.filename={file},\
                     file.inject-error.0.event=read_aio,file.inject-error.0.errno=5,\
                     file.inject-error.0.once=off,file.inject-error.0.sector={sector}"
                ),
            };
            arguments.extend([
                "-drive".into(),
                drive,
                "-device".into(),
                "virtio-blk-pci,drive=disk".into(),
            ]);
        }
        match setup.boot {
            Boot::Direct(kernel) => {
                arguments.extend([
                    "-kernel".into(),
                    kernel.display().to_string(),
                    "-append".into(),
                    setup.arguments.clone(),
                ]);
            }
            Boot::Iso(iso) => arguments.extend([
                "-cdrom".into(),
                iso.display().to_string(),
                "-boot".into(),
                "d".into(),
            ]),
            Boot::Disk(disk) => arguments.extend([
                "-drive".into(),
                format!("file={},if=ide,index=0,format=raw", disk.display()),
                "-boot".into(),
                "c".into(),
            ]),
        }
        if !setup.window {
            arguments.extend(["-display".into(), "none".into()]);
        }
        arguments.extend(setup.more.iter().cloned());

        let program = program(setup.processor);
        let mut command = match which::which("setpriv") {
            Ok(setpriv) => {
                let mut command = Command::new(setpriv);
                command.args(["--pdeathsig", "KILL", "--", program]);
                command
            }
            Err(_) => Command::new(program),
        };
        // A group of its own: Ctrl-C reaches QEMU through the handler above or not at all.
        command.args(&arguments);
        platform::own_group(&mut command);
        let mut file = std::fs::File::create(log)
            .with_context(|| format!("cannot write the log {}", log.display()))?;
        writeln!(file, "# {}", version())?;
        writeln!(file, "# {program} {}", quoted(&arguments))?;
        let mut child = command
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::inherit())
            .spawn()
            .context("cannot start QEMU")?;
        if let Ok(mut running) = RUNNING.lock() {
            *running = Some(child.id());
        }
        std::fs::write(log.with_file_name(MACHINE), qmp.to_string())?;
        let output = child.stdout.take().context("QEMU has no output")?;
        let (sender, lines) = mpsc::channel();
        let unfinished = Arc::new(Mutex::new(String::new()));
        let beginning = Arc::clone(&unfinished);
        std::thread::spawn(move || read_lines(output, &sender, &beginning));
        Ok(Self {
            child,
            lines,
            unfinished,
            log: file,
            events: Some(Events::of(events.clone())),
            events_door: events,
            sentinel: None,
            started: Instant::now(),
            qmp,
        })
    }

    /// The next line of the serial log; `None` at its end. An error when `limit` has passed since
    /// the start.
    pub fn line(&mut self, limit: Duration) -> Result<Option<String>> {
        let left = limit.saturating_sub(self.started.elapsed());
        match self.next(left)? {
            Next::Line(line) => Ok(Some(line)),
            Next::End => Ok(None),
            Next::Silence => bail!(
                "QEMU was still running after {} s and was killed",
                limit.as_secs()
            ),
        }
    }

    /// What the machine does within `wait`.
    pub fn next(&mut self, wait: Duration) -> Result<Next> {
        match self.lines.recv_timeout(wait) {
            Ok(line) => {
                writeln!(self.log, "{line}")?;
                for end in [End::Pass, End::Failure, End::Bugcheck, End::PowerOff] {
                    if line.contains(end.sentinel()) {
                        self.sentinel = Some(end);
                    }
                }
                Ok(Next::Line(line))
            }
            Err(RecvTimeoutError::Disconnected) => Ok(Next::End),
            Err(RecvTimeoutError::Timeout) => Ok(Next::Silence),
        }
    }

    /// What has come of a line that is not finished, such as a prompt.
    pub fn unfinished(&self) -> String {
        self.unfinished
            .lock()
            .map(|text| text.clone())
            .unwrap_or_default()
    }

    /// Why the machine has ended, in QEMU's words: `guest-reset`, `guest-shutdown`, `host-ui`...;
    /// none if it did not say. Only for a machine whose lines have ended.
    pub fn reason(&mut self) -> Option<String> {
        self.events.as_mut().and_then(Events::reason)
    }

    /// Writes the lines that are there to the log and gives them, without waiting for more.
    pub fn drain(&mut self) -> Result<Vec<String>> {
        let lines: Vec<String> = self.lines.try_iter().collect();
        lines
            .iter()
            .try_for_each(|line| writeln!(self.log, "{line}"))?;
        Ok(lines)
    }

    /// Waits for QEMU's end and judges it: sentinel and exit code must agree.
    pub fn judge(mut self) -> Result<End> {
        let status = self.child.wait().context("cannot wait for QEMU")?;
        let code = status.code();
        let reason = self.reason();
        let Some(end) = self.sentinel else {
            match code {
                Some(0) => match reason.as_deref() {
                    Some("guest-reset") => {
                        bail!("the machine was reset before the kernel's last line: a triple fault")
                    }
                    Some("host-ui") => {
                        bail!("the window was closed before the kernel's last line")
                    }
                    other => bail!(
                        "QEMU exited with 0 before the kernel's last line ({})",
                        other.unwrap_or("it gave no reason")
                    ),
                },
                Some(1) => bail!("QEMU itself failed (exit code 1): see its message above"),
                Some(code) => bail!("QEMU exited with {code} without the kernel's last line"),
                None => bail!("QEMU was killed by a signal"),
            }
        };
        if code != Some(end.code()) {
            bail!(
                "the kernel's last line says {end:?}, but QEMU ended with {status} instead of exit code {}",
                end.code()
            );
        }
        Ok(end)
    }
}

/// The file beside a log that names the control socket of its machine.
const MACHINE: &str = "machine";

/// Holds that no machine of another xtask is up whose log and disk are in a folder: both would be made
/// anew below it.
///
/// # Errors
/// One is.
pub fn nobody_in(folder: &Path) -> Result<()> {
    let up = std::fs::read_to_string(folder.join(MACHINE))
        .is_ok_and(|door| Door::from_text(&door).connect().is_ok());
    if up {
        bail!(
            "a machine that was started before is up in {}: end it first, with Ctrl-C there or by closing its window",
            folder.display()
        );
    }
    Ok(())
}

impl Drop for Qemu {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
        self.qmp.remove();
        self.events_door.remove();
        if let Ok(mut running) = RUNNING.lock() {
            *running = None;
        }
    }
}

/// Longer than any prompt.
const PROMPT: usize = 256;

/// Cuts what the machine says into lines; the beginning of an unfinished one is kept in sight.
fn read_lines(mut output: impl Read, lines: &mpsc::Sender<String>, unfinished: &Mutex<String>) {
    let mut line: Vec<u8> = Vec::new();
    let mut bytes = [0; 4096];
    while let Ok(count @ 1..) = output.read(&mut bytes) {
        for part in bytes[..count].split_inclusive(|&byte| byte == b'\n') {
            line.extend(part);
            if part.ends_with(b"\n") {
                let text = String::from_utf8_lossy(&line);
                if lines
                    .send(text.trim_end_matches(['\r', '\n']).to_owned())
                    .is_err()
                {
                    return;
                }
                line.clear();
            }
        }
        // QEMU writes byte by byte; a long line is not copied once a byte.
        if line.len() <= PROMPT
            && let Ok(mut text) = unfinished.lock()
        {
            *text = String::from_utf8_lossy(&line).into_owned();
        }
    }
    // What was said last may have no line's end.
    if !line.is_empty() {
        let _ = lines.send(String::from_utf8_lossy(&line).into_owned());
    }
}

/// QEMU's word on why a machine ended: it listens on a control socket of its own, as each serves
/// one client at a time.
struct Events {
    listener: Option<std::thread::JoinHandle<Option<String>>>,
    reason: Option<String>,
}

impl Events {
    fn of(socket: Door) -> Self {
        Self {
            listener: Some(std::thread::spawn(move || Self::listen(&socket))),
            reason: None,
        }
    }

    /// Reads events until QEMU closes the socket; gives the reason of the shutdown among them.
    fn listen(socket: &Door) -> Option<String> {
        // QEMU makes the socket a moment after its start.
        let stream = (0..100).find_map(|_| {
            socket
                .connect()
                .inspect_err(|_| std::thread::sleep(Duration::from_millis(50)))
                .ok()
        })?;
        let mut commands = stream.try_clone().ok()?;
        writeln!(commands, "{{\"execute\":\"qmp_capabilities\"}}").ok()?;
        BufReader::new(stream)
            .lines()
            .map_while(Result::ok)
            .filter_map(|line| shutdown_reason(&line))
            .last()
    }

    /// The reason, once QEMU has ended.
    fn reason(&mut self) -> Option<String> {
        if let Some(listener) = self.listener.take() {
            self.reason = listener.join().ok().flatten();
        }
        self.reason.clone()
    }
}

/// The reason that a line of QEMU's control socket gives, if it is the event of a shutdown.
fn shutdown_reason(line: &str) -> Option<String> {
    let event: serde_json::Value = serde_json::from_str(line).ok()?;
    if event["event"] != "SHUTDOWN" {
        return None;
    }
    event["data"]["reason"].as_str().map(str::to_owned)
}

fn unique() -> u32 {
    static NEXT: std::sync::atomic::AtomicU32 = std::sync::atomic::AtomicU32::new(0);
    NEXT.fetch_add(1, std::sync::atomic::Ordering::Relaxed)
}

/// QEMU's program for a processor; every system's package brings both.
fn program(processor: Arch) -> &'static str {
    match processor {
        Arch::Amd64 => "qemu-system-x86_64",
        Arch::I386 => "qemu-system-i386",
    }
}

/// QEMU's version, as it says it itself.
fn version() -> &'static str {
    static VERSION: OnceLock<String> = OnceLock::new();
    VERSION.get_or_init(|| {
        let output = Command::new(program(Arch::Amd64)).arg("--version").output();
        let text = output.map_or_else(
            |error| format!("cannot run QEMU: {error}"),
            |output| String::from_utf8_lossy(&output.stdout).into_owned(),
        );
        text.lines().next().unwrap_or_default().to_owned()
    })
}

/// Words as a shell takes them.
fn quoted(words: &[String]) -> String {
    let plain = |word: &str| {
        !word.is_empty()
            && word
                .chars()
                .all(|letter| letter.is_ascii_alphanumeric() || "-_=,./:@%+".contains(letter))
    };
    let words: Vec<String> = words
        .iter()
        .map(|word| match plain(word) {
            true => word.clone(),
            false => format!("'{}'", word.replace('\'', r"'\''")),
        })
        .collect();
    words.join(" ")
}

/// How the machine of a log was run: QEMU's version and command line, which open the log. For
/// messages about a failure that another machine may not show.
pub fn how(log: &Path) -> String {
    let text = std::fs::read_to_string(log).unwrap_or_default();
    let lines: Vec<&str> = text
        .lines()
        .map_while(|line| line.strip_prefix("# "))
        .collect();
    lines.join(": ")
}

/// Says where a log is, for messages that end a failed run.
pub fn see(log: &Path) {
    let shown = log.strip_prefix(paths::root()).unwrap_or(log);
    ui::note(&format!("the whole log: {}", shown.display()));
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_log_opens_with_how_its_machine_was_run() {
        let log = tempfile::NamedTempFile::new().unwrap();
        std::fs::write(log.path(), "# QEMU 1\n# qemu -m 1\n[    0.1] up\n# later\n").unwrap();
        assert_eq!(how(log.path()), "QEMU 1: qemu -m 1");
    }

    /// What a machine leaves behind that was killed is no machine.
    #[test]
    #[cfg(unix)]
    fn a_folder_with_a_machine_that_is_up_is_not_made_anew() {
        let folder = tempfile::tempdir().unwrap();
        assert!(nobody_in(folder.path()).is_ok());
        let door = folder.path().join("door");
        std::fs::write(folder.path().join(MACHINE), door.to_str().unwrap()).unwrap();
        let listener = std::os::unix::net::UnixListener::bind(&door).unwrap();
        let told = nobody_in(folder.path()).unwrap_err().to_string();
        assert!(told.contains("end it first"), "{told}");
        drop(listener);
        assert!(nobody_in(folder.path()).is_ok());
    }

    #[test]
    fn a_prompt_is_seen_though_its_line_never_ends() {
        let (sender, lines) = mpsc::channel();
        let unfinished = Mutex::new(String::new());
        read_lines(&b"one\r\ntwo\nkdb:> "[..], &sender, &unfinished);
        drop(sender);
        assert_eq!(*unfinished.lock().unwrap(), "kdb:> ");
        assert_eq!(lines.iter().collect::<Vec<_>>(), ["one", "two", "kdb:> "]);
    }

    #[test]
    fn the_reason_of_an_end_is_in_the_event() {
        let reset = r#"{"timestamp": {"seconds": 1}, "event": "SHUTDOWN", "data": {"guest": true, "reason": "guest-reset"}}"#;
        assert_eq!(shutdown_reason(reset).as_deref(), Some("guest-reset"));
        assert_eq!(shutdown_reason(r#"{"event": "RESET"}"#), None);
        assert_eq!(shutdown_reason("no JSON"), None);
    }

    #[test]
    fn a_command_line_can_be_pasted_into_a_shell() {
        let words = ["-append", "dump exit=settled", "it's", ""].map(String::from);
        assert_eq!(quoted(&words), r"-append 'dump exit=settled' 'it'\''s' ''");
    }
}

// SPDX-License-Identifier: GPL-2.0-or-later
//! A layer over the seam: it notes every request, refuses those that a test wants refused, and
//! passes the others on to the kernel below.
//!
//! Requests are numbered from 0 as they are made. What gives something back (NtClose, the end of
//! pages and views) is neither counted nor refused: nothing could be done about it. The layer adds
//! no behaviour of its own but for [`Interceptor::pretend_volumes`], which stands for volumes that
//! no disk in memory can be.

mod seam;

use nt::system::{ParameterFlags, System};
use nt::{Handle, ObjectAttributes, Result, Status};
use std::collections::{BTreeMap, VecDeque};
use std::sync::{Mutex, MutexGuard, PoisonError};

/// A request, as it was made.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Call {
    /// The method of the seam.
    pub name: &'static str,
    /// The object, the file or the text that it is about, if it says one.
    pub about: String,
    /// The security descriptor that a new object is to have.
    pub security: Option<Vec<u8>>,
}

/// A process that was created, as its creator described it and what its creator did with it.
#[derive(Clone, Debug)]
pub struct Child {
    /// NT path of the image.
    pub image: String,
    /// The whole command line.
    pub command_line: String,
    /// The current directory; `None` takes the creator's.
    pub directory: Option<String>,
    /// `DllPath`; `None` takes the creator's.
    pub dll_path: Option<String>,
    /// The environment block.
    pub environment: Vec<u16>,
    /// Flags to set.
    pub flags: ParameterFlags,
    /// `DebugFlags`.
    pub debug: bool,
    /// The session it was put into.
    pub session: Option<u32>,
    /// Its first thread was resumed.
    pub resumed: bool,
    /// It was ended by its creator.
    pub ended: Option<Status>,
    /// Its creator waited for it.
    pub waited: bool,
    handles: [nt::Word; 2],
}

/// What a volume is said to be.
#[derive(Clone, Copy, Debug)]
pub struct Volume {
    /// Its drive letter.
    pub letter: char,
    /// Free bytes.
    pub free: u64,
    /// FILE_DEVICE characteristics.
    pub characteristics: u32,
}

/// Volumes that are not there, and the paging files that were made on them.
#[derive(Debug, Default)]
struct Pretended {
    volumes: Vec<Volume>,
    answers: VecDeque<Status>,
    paging_files: Vec<(String, u64, u64)>,
}

#[derive(Debug)]
struct Refusal {
    number: usize,
    status: Status,
    persistent: bool,
}

#[derive(Debug, Default)]
struct State {
    calls: Vec<Call>,
    refusal: Option<Refusal>,
    /// One more request that is refused, by its number.
    also: Option<(usize, Status)>,
    children: Vec<Child>,
    pretended: Option<Pretended>,
    /// What the files behind handles are called.
    files: BTreeMap<nt::Word, String>,
    /// Numbers that files are said to have on their volumes, by lower-case names.
    file_ids: BTreeMap<String, u64>,
    /// Elementary steps that the kernel below took on this thread.
    steps_below: usize,
}

/// The layer.
#[derive(Debug)]
pub struct Interceptor<S> {
    below: S,
    state: Mutex<State>,
}

impl<S: System> Interceptor<S> {
    /// A layer over `below`, for the rest of the test process's life.
    pub fn over(below: S) -> &'static Self {
        Box::leak(Box::new(Self {
            below,
            state: Mutex::default(),
        }))
    }

    /// The kernel below: what is asked of it is neither noted nor refused.
    pub fn below(&self) -> S {
        self.below
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Every request so far.
    pub fn calls(&self) -> Vec<Call> {
        self.state().calls.clone()
    }

    /// How many there were so far: the number of the next one.
    pub fn made(&self) -> usize {
        self.state().calls.len()
    }

    /// What the requests by this name were about, in order.
    pub fn about(&self, name: &str) -> Vec<String> {
        let calls = self.calls().into_iter();
        calls
            .filter(|call| call.name == name)
            .map(|call| call.about)
            .collect()
    }

    /// How many requests by this name there were.
    pub fn count(&self, name: &str) -> usize {
        self.about(name).len()
    }

    /// Refuses the request with this number, and all after it if so said.
    pub fn refuse(&self, number: usize, status: Status, persistent: bool) {
        self.state().refusal = Some(Refusal {
            number,
            status,
            persistent,
        });
    }

    /// Refuses the request with this number as well.
    pub fn refuse_also(&self, number: usize, status: Status) {
        self.state().also = Some((number, status));
    }

    /// Refuses nothing any more.
    pub fn refuse_nothing(&self) {
        let mut state = self.state();
        (state.refusal, state.also) = (None, None);
    }

    /// Every process that was created.
    pub fn children(&self) -> Vec<Child> {
        self.state().children.clone()
    }

    /// From now on these are the volumes, as far as drive letters, sizes and characteristics go;
    /// attempts to make a paging file give `answers`, and then succeed, and reach the kernel below in
    /// neither case.
    pub fn pretend_volumes(&self, volumes: &[Volume], answers: &[Status]) {
        self.state().pretended = Some(Pretended {
            volumes: volumes.to_vec(),
            answers: answers.iter().copied().collect(),
            paging_files: Vec::new(),
        });
    }

    /// The paging files that were made on pretended volumes: name, initial and maximum size.
    pub fn paging_files(&self) -> Vec<(String, u64, u64)> {
        let state = self.state();
        let pretended = state.pretended.as_ref();
        pretended.map_or_else(Vec::new, |pretended| pretended.paging_files.clone())
    }

    /// Says of a file, by its NT path, that it has this number on its volume.
    pub fn pretend_file_id(&self, path: &str, id: u64) {
        self.state().file_ids.insert(path.to_lowercase(), id);
    }

    /// Elementary steps of this thread, without those that the kernel below took.
    pub fn steps(&self) -> usize {
        nt::steps::taken() - self.state().steps_below
    }

    /// Notes a request, and passes it on unless it is refused.
    fn pass<R>(&self, call: Call, act: impl FnOnce(S) -> Result<R>) -> Result<R> {
        let mut state = self.state();
        let number = state.calls.len();
        state.calls.push(call);
        let refused = state.refusal.as_ref().filter(|refusal| {
            refusal.number == number || refusal.persistent && refusal.number < number
        });
        if let Some(refusal) = refused {
            return Err(refusal.status);
        }
        if let Some((_, status)) = state.also.filter(|(also, _)| *also == number) {
            return Err(status);
        }
        // Nothing may be held while the kernel lets other threads run.
        drop(state);
        let before = nt::steps::taken();
        let result = act(self.below);
        self.state().steps_below += nt::steps::taken() - before;
        result
    }

    /// Notes a file's name with its handle.
    fn opened(&self, name: String, file: Result<Handle>) -> Result<Handle> {
        self.state().files.insert(file?.0, name);
        file
    }

    fn file_name(&self, file: Handle) -> String {
        self.state().files.get(&file.0).cloned().unwrap_or_default()
    }

    /// A name as the kernel resolves it: below the object behind the root handle, if there is one.
    fn full_name(&self, attributes: &ObjectAttributes<'_>) -> String {
        match self.file_name(attributes.root) {
            root if root.is_empty() => attributes.name.to_string(),
            root => format!("{}\\{}", root.trim_end_matches('\\'), attributes.name),
        }
    }

    fn with_child(&self, handle: Handle, note: impl FnOnce(&mut Child)) {
        let mut state = self.state();
        let mut children = state.children.iter_mut().rev();
        if let Some(child) = children.find(|child| child.handles.contains(&handle.0)) {
            note(child);
        }
    }

    /// The pretended volume that a file is on, if volumes are pretended.
    fn volume(&self, file: Handle) -> Option<Result<Volume>> {
        let name = self.file_name(file);
        let state = self.state();
        let volumes = &state.pretended.as_ref()?.volumes;
        let letter = name.strip_prefix("\\??\\")?.chars().next()?;
        let volume = volumes.iter().find(|volume| volume.letter == letter);
        Some(volume.copied().ok_or(Status::NO_SUCH_DEVICE))
    }
}

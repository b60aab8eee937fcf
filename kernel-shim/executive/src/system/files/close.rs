// SPDX-License-Identifier: GPL-2.0-or-later
//! The end of file objects: what happens when the last handle goes, and when the object does.

use crate::ids::{ObjectId, ProcessId};
use crate::io::FileId;
use crate::io::file::File;
use crate::ob::prelude::*;
use crate::system::Body;
use crate::system::Executive;

/// A handle was closed. With the last one, the file object no longer counts for sharing.
pub(super) fn close(executive: &mut Executive, _: ProcessId, object: ObjectId, last: bool) {
    if !last {
        return;
    }
    let Ok(Body::File(file)) = executive.object_mut(object).map(|object| &mut object.body) else {
        return;
    };
    if !core::mem::replace(&mut file.cleaned, true) {
        let file = file.clone();
        cleanup(executive, &file);
    }
}

/// The last reference to a file object has gone: the file itself goes if it was to.
pub(super) fn delete(executive: &mut Executive, _: ObjectId, body: Body) {
    let Body::File(file) = body else { return };
    if !file.cleaned {
        cleanup(executive, &file);
    }
    match file.id() {
        Some(id) => {
            if executive.io.close(id) {
                executive.delete_file(id);
            }
        }
        None => executive.io.close_volume(&file),
    }
    executive.dereference(file.device);
}

/// The last handle is gone (IRP_MJ_CLEANUP).
fn cleanup(executive: &mut Executive, file: &File) {
    let Some(id) = file.id() else {
        let Executive { io, machine, .. } = executive;
        return io.clean_up_volume(&mut **machine, file);
    };
    let mapped = executive.mm.segments().data_of(id).is_some();
    if executive.io.clean_up(id, file, mapped) {
        executive.delete_file(id);
    }
}

impl Executive {
    fn delete_file(&mut self, file: FileId) {
        let Self { io, machine, .. } = self;
        io.purge(file);
        let deleted = io
            .volume(file.volume)
            .and_then(|volume| volume.delete(&mut **machine, file.node));
        if let Err(status) = deleted {
            log::warn!("a file that was to be deleted on close stays: {status}");
        }
    }
}

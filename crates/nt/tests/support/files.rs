// SPDX-License-Identifier: GPL-2.0-or-later
//! The seam in memory: files, volumes, pages and sections.

use super::*;
use test_support::Pages;

impl Files for World {
    fn open_file(
        &self,
        attributes: &ObjectAttributes<'_>,
        _: Access,
        _: Share,
        options: OpenOptions,
    ) -> Result<Handle> {
        let mut state = self.enter("open_file")?;
        let key = file_key(&state.full(attributes)?);
        let file = state.files.get(&key).ok_or(Status::OBJECT_NAME_NOT_FOUND)?;
        if let Some(status) = file.refuses {
            return Err(status);
        }
        match file.attributes & FileAttributes::DIRECTORY != 0 {
            true if options.contains(OpenOptions::NON_DIRECTORY_FILE) => {
                Err(Status::FILE_IS_A_DIRECTORY)
            }
            false if options.contains(OpenOptions::DIRECTORY_FILE) => Err(Status::NOT_A_DIRECTORY),
            _ => {
                let handle = state.give(Open::File(key));
                if options.contains(OpenOptions::NO_INTERMEDIATE_BUFFERING) {
                    state.uncached.insert(handle.0);
                }
                Ok(handle)
            }
        }
    }

    fn read_file(&self, file: Handle, offset: u64, buffer: &mut [u8]) -> Result<usize> {
        let mut state = self.enter("read_file")?;
        let uncached = state.uncached.contains(&file.0);
        if uncached && (!buffer.len().is_multiple_of(512) || !offset.is_multiple_of(512)) {
            return Err(Status::INVALID_PARAMETER);
        }
        let (key, _) = state.file_of(file)?;
        if !uncached {
            state.cached.insert(key);
        }
        let (_, file) = state.file_of(file)?;
        let rest = file
            .data
            .get(offset as usize..)
            .filter(|rest| !rest.is_empty())
            .ok_or(Status::END_OF_FILE)?;
        let count = rest.len().min(buffer.len());
        buffer[..count].copy_from_slice(&rest[..count]);
        Ok(count)
    }

    fn write_file(&self, file: Handle, offset: u64, data: &[u8]) -> Result<usize> {
        let mut state = self.enter("write_file")?;
        let (_, file) = state.file_of(file)?;
        let (from, to) = (offset as usize, offset as usize + data.len());
        let size = file.data.len().max(to);
        file.data.resize(size, 0);
        file.data[from..to].copy_from_slice(data);
        Ok(data.len())
    }

    fn create_file(
        &self,
        attributes: &ObjectAttributes<'_>,
        _: Access,
        _: Share,
        _: OpenOptions,
    ) -> Result<Handle> {
        let mut state = self.enter("create_file")?;
        let key = file_key(&state.full(attributes)?);
        let parent = key.rsplit_once('\\').map_or("", |(parent, _)| parent);
        if !state.files.contains_key(parent) {
            return Err(Status::OBJECT_PATH_NOT_FOUND);
        }
        state.files.entry(key.clone()).or_default();
        Ok(state.give(Open::File(key)))
    }

    fn flush_file(&self, file: Handle) -> Result<()> {
        let mut state = self.enter("flush_file")?;
        let (key, _) = state.file_of(file)?;
        state.flushed.push(key);
        Ok(())
    }

    fn mark_volume_dirty(&self, volume: Handle) -> Result<()> {
        let mut state = self.enter("mark_volume_dirty")?;
        let (key, _) = state.file_of(volume)?;
        state.dirty.push(key);
        Ok(())
    }

    fn query_file_id(&self, file: Handle) -> Result<u64> {
        let mut state = self.enter("query_file_id")?;
        Ok(state.file_of(file)?.1.id)
    }

    fn query_attributes(&self, attributes: &ObjectAttributes<'_>) -> Result<FileAttributes> {
        let state = self.enter("query_attributes")?;
        let key = file_key(&state.full(attributes)?);
        state
            .files
            .get(&key)
            .map(|file| FileAttributes(file.attributes))
            .ok_or(Status::OBJECT_NAME_NOT_FOUND)
    }

    fn query_standard(&self, file: Handle) -> Result<FileStandard> {
        let mut state = self.enter("query_standard")?;
        let (_, file) = state.file_of(file)?;
        let bytes = file.data.len() as u64;
        Ok(FileStandard {
            allocation_size: bytes,
            end_of_file: bytes,
            directory: false,
        })
    }

    fn set_delete(&self, file: Handle) -> Result<()> {
        let mut state = self.enter("set_delete")?;
        let (key, file) = state.file_of(file)?;
        if file.attributes & FileAttributes::READONLY != 0 {
            return Err(Status::CANNOT_DELETE);
        }
        file.delete = true;
        let below = format!("{key}\\");
        if state
            .files
            .range(below.clone()..)
            .next()
            .is_some_and(|(other, _)| other.starts_with(&below))
        {
            state.files.get_mut(&key).unwrap().delete = false;
            return Err(Status::DIRECTORY_NOT_EMPTY);
        }
        Ok(())
    }

    fn rename(&self, file: Handle, target: UnicodeStr<'_>, replace: bool) -> Result<()> {
        let mut state = self.enter("rename")?;
        let (key, _) = state.file_of(file)?;
        let target = file_key(&target.to_string());
        if key[..1] != target[..1] {
            return Err(Status::NOT_SAME_DEVICE);
        }
        if !state
            .files
            .contains_key(target.rsplit_once('\\').map_or("", |(parent, _)| parent))
        {
            return Err(Status::OBJECT_PATH_NOT_FOUND);
        }
        if state
            .files
            .get(&target)
            .is_some_and(|there| !replace || there.attributes & FileAttributes::READONLY != 0)
        {
            return Err(Status::OBJECT_NAME_COLLISION);
        }
        let below = format!("{key}\\");
        let below = state
            .files
            .range(below.clone()..)
            .map(|(other, _)| other)
            .take_while(move |other| other.starts_with(&below));
        let moved: Vec<String> = std::iter::once(&key).chain(below).cloned().collect();
        for old in moved {
            let data = state.files.remove(&old).unwrap();
            state
                .files
                .insert(format!("{target}{}", &old[key.len()..]), data);
        }
        state.handles.insert(file.0, Open::File(target));
        Ok(())
    }

    fn set_attributes(&self, file: Handle, attributes: FileAttributes) -> Result<()> {
        let mut state = self.enter("set_attributes")?;
        state.file_of(file)?.1.attributes = attributes.0;
        Ok(())
    }

    fn set_end_of_file(&self, _: Handle, _: u64) -> Result<()> {
        Err(Status::NOT_IMPLEMENTED)
    }

    fn query_fs_size(&self, file: Handle) -> Result<FsSize> {
        let (_, free, _) = self.enter("query_fs_size")?.volume(file)?;
        Ok(FsSize {
            total_units: free / 4096,
            available_units: free / 4096,
            sectors_per_unit: 8,
            bytes_per_sector: 512,
        })
    }

    fn query_fs_device(&self, file: Handle) -> Result<FsDevice> {
        let (_, _, characteristics) = self.enter("query_fs_device")?.volume(file)?;
        Ok(FsDevice {
            device_type: 7,
            characteristics,
        })
    }

    fn create_paging_file(&self, name: UnicodeStr<'_>, minimum: u64, maximum: u64) -> Result<()> {
        let mut state = self.enter("create_paging_file")?;
        if let Some(answer) = state.paging_answers.pop_front() {
            answer.ok()?;
        }
        // The kernel supersedes what stands there, unless the cache has a data section of it.
        let key = file_key(&name.to_string());
        if state.cached.contains(&key) {
            return Err(Status::SHARING_VIOLATION);
        }
        state.files.remove(&key);
        state
            .paging_files
            .push((name.to_string(), minimum, maximum));
        Ok(())
    }
}

impl Memory for World {
    type Pages = Pages;
    type View = Vec<u8>;

    fn allocate_pages(&self, bytes: usize) -> Result<Pages> {
        drop(self.enter("allocate_pages")?);
        Ok(Pages::zeroed(bytes))
    }

    fn create_image_section(
        &self,
        attributes: &ObjectAttributes<'_>,
        _: Access,
        file: Handle,
    ) -> Result<Handle> {
        let mut state = self.enter("create_image_section")?;
        let data = state.file_of(file)?.1.data.clone();
        if data.is_empty() {
            return Err(Status::MAPPED_FILE_SIZE_ZERO);
        }
        let view = laid_out(&data).ok_or(Status::INVALID_IMAGE_FORMAT)?;
        let handle = state.create_object(attributes, Kind::Section)?.handle;
        state.views.insert(handle.0, view);
        Ok(handle)
    }

    fn map_view(&self, section: Handle) -> Result<Vec<u8>> {
        self.enter("map_view")?
            .views
            .get(&section.0)
            .cloned()
            .ok_or(Status::INVALID_HANDLE)
    }
}

/// An image's file as its view shows it: headers, then every section at its address. `None` if it
/// is not an image, or is truncated.
fn laid_out(file: &[u8]) -> Option<Vec<u8>> {
    let u32_at =
        |at: usize| Some(u32::from_le_bytes(file.get(at..at + 4)?.try_into().ok()?) as usize);
    file.starts_with(b"MZ").then_some(())?;
    let header = u32_at(0x3C)?;
    // This kernel maps images for AMD64 only.
    (u32_at(header + 4)? & 0xFFFF == 0x8664).then_some(())?;
    let optional = u32_at(header + 20)? & 0xFFFF;
    let mut view = file.get(..0x200)?.to_vec();
    for number in 0..u32_at(header + 4)? >> 16 {
        let section = header + 24 + optional + number * 40;
        let (address, size, from) = (
            u32_at(section + 12)?,
            u32_at(section + 16)?,
            u32_at(section + 20)?,
        );
        view.resize(view.len().max(address + size), 0);
        view[address..address + size].copy_from_slice(file.get(from..from + size)?);
    }
    Some(view)
}

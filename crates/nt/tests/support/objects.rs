// SPDX-License-Identifier: GPL-2.0-or-later
//! The seam in memory: objects and registry.

use super::*;

impl Objects for World {
    fn close(&self, handle: Handle) -> Result<()> {
        let mut state = self.state();
        state.views.remove(&handle.0);
        match state
            .handles
            .remove(&handle.0)
            .ok_or(Status::INVALID_HANDLE)?
        {
            Open::Object(name) => {
                let key = fold(&name);
                let gone = state.objects.get_mut(&key).is_some_and(|object| {
                    object.open -= 1;
                    object.open == 0 && !object.permanent
                });
                if gone {
                    state.objects.remove(&key);
                }
            }
            Open::File(key) if state.files.get(&key).is_some_and(|file| file.delete) => {
                state.files.remove(&key);
            }
            _ => {}
        }
        Ok(())
    }

    fn duplicate(&self, _: Handle, _: Handle, _: Handle, _: Access) -> Result<Handle> {
        Err(Status::NOT_IMPLEMENTED)
    }

    fn make_temporary(&self, handle: Handle) -> Result<()> {
        let mut state = self.enter("make_temporary")?;
        let Open::Object(name) = state.open_of(handle)? else {
            return Err(Status::OBJECT_TYPE_MISMATCH);
        };
        state
            .objects
            .get_mut(&fold(&name))
            .ok_or(Status::INVALID_HANDLE)?
            .permanent = false;
        Ok(())
    }

    fn create_directory(&self, attributes: &ObjectAttributes<'_>, _: Access) -> Result<Created> {
        self.enter("create_directory")?
            .create_object(attributes, Kind::Directory)
    }

    fn open_directory(&self, attributes: &ObjectAttributes<'_>, _: Access) -> Result<Handle> {
        self.enter("open_directory")?
            .open_object(attributes, &Kind::Directory)
    }

    fn query_directory(
        &self,
        directory: Handle,
        visit: &mut dyn FnMut(DirectoryEntry<'_>) -> bool,
    ) -> Result<()> {
        let Open::Object(name) = self.enter("query_directory")?.open_of(directory)? else {
            return Err(Status::OBJECT_TYPE_MISMATCH);
        };
        for entry in self.names(&name) {
            let kind = self.state().objects[&fold(&format!("{name}\\{entry}"))]
                .kind
                .clone();
            let type_name = wide(if matches!(kind, Kind::Link(_)) {
                "SymbolicLink"
            } else {
                "Directory"
            });
            if !visit(DirectoryEntry {
                name: UnicodeStr(&wide(&entry)),
                type_name: UnicodeStr(&type_name),
            }) {
                break;
            }
        }
        Ok(())
    }

    fn create_symbolic_link(
        &self,
        attributes: &ObjectAttributes<'_>,
        _: Access,
        target: UnicodeStr<'_>,
    ) -> Result<Created> {
        self.enter("create_symbolic_link")?
            .create_object(attributes, Kind::Link(target.to_string()))
    }

    fn open_symbolic_link(&self, attributes: &ObjectAttributes<'_>, _: Access) -> Result<Handle> {
        self.enter("open_symbolic_link")?
            .open_object(attributes, &Kind::Link(String::new()))
    }

    fn query_symbolic_link<'b>(
        &self,
        link: Handle,
        buffer: &'b mut [u16],
    ) -> Result<UnicodeStr<'b>> {
        let state = self.enter("query_symbolic_link")?;
        let Open::Object(name) = state.open_of(link)? else {
            return Err(Status::OBJECT_TYPE_MISMATCH);
        };
        let Some(Kind::Link(target)) = state.objects.get(&fold(&name)).map(|object| &object.kind)
        else {
            return Err(Status::OBJECT_TYPE_MISMATCH);
        };
        let target = wide(target);
        buffer
            .get_mut(..target.len())
            .ok_or(Status::BUFFER_TOO_SMALL)?
            .copy_from_slice(&target);
        Ok(UnicodeStr(&buffer[..target.len()]))
    }

    fn create_event(&self, _: &ObjectAttributes<'_>, _: Access) -> Result<Handle> {
        Err(Status::NOT_IMPLEMENTED)
    }

    fn set_event(&self, _: Handle) -> Result<()> {
        Err(Status::NOT_IMPLEMENTED)
    }

    fn wait_one(&self, object: Handle, _: Timeout) -> Result<Wait> {
        let mut state = self.enter("wait_one")?;
        let process = state.process_of(object)?;
        assert!(
            process.resumed || process.ended.is_some(),
            "a wait for a thread that nobody lets run is for ever"
        );
        process.waited = true;
        Ok(Wait::Object(0))
    }

    fn wait_any(&self, _: &[Handle], _: Timeout) -> Result<Wait> {
        Err(Status::NOT_IMPLEMENTED)
    }

    fn delay(&self, _: u32) -> Result<()> {
        Err(Status::NOT_IMPLEMENTED)
    }
}

impl Registry for World {
    fn open_key(&self, attributes: &ObjectAttributes<'_>, _: Access) -> Result<Handle> {
        let mut state = self.enter("open_key")?;
        let name = state.full(attributes)?;
        if !state.keys.contains_key(&fold(&name)) {
            return Err(Status::OBJECT_NAME_NOT_FOUND);
        }
        Ok(state.give(Open::Key(name)))
    }

    fn create_volatile_key(&self, attributes: &ObjectAttributes<'_>, _: Access) -> Result<Handle> {
        let mut state = self.enter("create_volatile_key")?;
        let name = state.full(attributes)?;
        state.keys.entry(fold(&name)).or_default();
        Ok(state.give(Open::Key(name)))
    }

    fn query_value(
        &self,
        key: Handle,
        name: UnicodeStr<'_>,
        data: &mut [u8],
    ) -> Result<ValueInformation> {
        let mut state = self.enter("query_value")?;
        let name = fold(&name.to_string());
        let (_, kind, held) = state
            .key_of(key)?
            .iter()
            .find(|(known, ..)| fold(known) == name)
            .ok_or(Status::OBJECT_NAME_NOT_FOUND)?;
        if let Some(place) = data.get_mut(..held.len()) {
            place.copy_from_slice(held);
        }
        Ok(ValueInformation {
            kind: ValueType(*kind),
            name_units: 0,
            data_bytes: held.len(),
        })
    }

    fn enumerate_value(
        &self,
        key: Handle,
        index: u32,
        name: &mut [u16],
        data: &mut [u8],
    ) -> Result<ValueInformation> {
        let mut state = self.enter("enumerate_value")?;
        let (known, kind, held) = state
            .key_of(key)?
            .get(index as usize)
            .ok_or(Status::NO_MORE_ENTRIES)?;
        let known = wide(known);
        if known.len() <= name.len() && held.len() <= data.len() {
            name[..known.len()].copy_from_slice(&known);
            data[..held.len()].copy_from_slice(held);
        }
        Ok(ValueInformation {
            kind: ValueType(*kind),
            name_units: known.len(),
            data_bytes: held.len(),
        })
    }

    fn set_value(
        &self,
        key: Handle,
        name: UnicodeStr<'_>,
        kind: ValueType,
        data: &[u8],
    ) -> Result<()> {
        let mut state = self.enter("set_value")?;
        let values = state.key_of(key)?;
        let name = name.to_string();
        values.retain(|(known, ..)| fold(known) != fold(&name));
        values.push((name, kind.0, data.to_vec()));
        Ok(())
    }

    fn delete_value(&self, key: Handle, name: UnicodeStr<'_>) -> Result<()> {
        let mut state = self.enter("delete_value")?;
        let values = state.key_of(key)?;
        let name = fold(&name.to_string());
        let before = values.len();
        values.retain(|(known, ..)| fold(known) != name);
        if values.len() < before {
            Ok(())
        } else {
            Err(Status::OBJECT_NAME_NOT_FOUND)
        }
    }

    fn flush_key(&self, _: Handle) -> Result<()> {
        drop(self.enter("flush_key")?);
        Ok(())
    }

    fn initialize_registry(&self, _: RegistryBoot) -> Result<()> {
        Err(Status::NOT_IMPLEMENTED)
    }
}

// SPDX-License-Identifier: GPL-2.0-or-later
//! The layer over the seam: what it passes on comes back as the kernel gave it, and what it refuses
//! never reaches the kernel.

use nt::access::Access;
use nt::system::{
    Objects, Processes, Registry, RegistryBoot, SystemWide, ThreadBody, Timeout, Wait,
};
use nt::{ObjectAttributes, Owned, Status, wide};
use std::sync::atomic::{AtomicU32, Ordering};
use test_support::host::{Watched, watched, world};

static RAN: AtomicU32 = AtomicU32::new(0);

struct Body;

impl ThreadBody for Body {
    fn run(&'static self) {
        RAN.fetch_add(1, Ordering::SeqCst);
    }
}

/// The request with the next number is refused, once.
fn refuse_next(layer: &Watched, status: Status) {
    layer.refuse(layer.calls().len(), status, false);
}

#[test]
fn a_link_is_read_through_the_layer_or_refused_by_it() {
    watched(&mut world(), |layer| {
        let name = ObjectAttributes::named(wide!("\\SystemRoot"));
        let link = layer
            .open_symbolic_link(&name, Access::SYMBOLIC_LINK_ALL)
            .unwrap();
        let link = Owned::new(layer, link);
        let (mut ours, mut theirs) = ([0; 64], [0; 64]);
        let told = layer.query_symbolic_link(link.get(), &mut ours).unwrap();
        let below = layer.below();
        assert_eq!(Ok(told), below.query_symbolic_link(link.get(), &mut theirs));
        refuse_next(layer, Status::NO_MEMORY);
        assert_eq!(
            layer.query_symbolic_link(link.get(), &mut ours),
            Err(Status::NO_MEMORY)
        );
        assert!(layer.query_symbolic_link(link.get(), &mut theirs).is_ok());
        assert_eq!(layer.count("query_symbolic_link"), 3);
    });
}

#[test]
fn a_refused_thread_never_runs_and_another_does() {
    watched(&mut world(), |layer| {
        refuse_next(layer, Status::INSUFFICIENT_RESOURCES);
        assert_eq!(
            layer.create_thread(&Body),
            Err(Status::INSUFFICIENT_RESOURCES)
        );
        let thread = Owned::new(layer, layer.create_thread(&Body).unwrap());
        assert_eq!(
            layer.wait_one(thread.get(), Timeout::Never),
            Ok(Wait::Object(0))
        );
        assert_eq!(RAN.load(Ordering::SeqCst), 1);
    });
}

#[test]
fn an_option_of_an_image_is_noted_under_the_images_name() {
    watched(&mut world(), |layer| {
        let debugger = test_support::bytes("ntsd -d\0");
        // SOFTWARE is one of the remaining hives.
        let initialized = layer.below().initialize_registry(RegistryBoot::Smss);
        assert_eq!(initialized, Ok(()));
        let mut path = "\\Registry\\Machine\\Software\\Microsoft".to_owned();
        for key in [
            "Windows NT",
            "CurrentVersion",
            "Image File Execution Options",
            "winlogon.exe",
        ] {
            path = format!("{path}\\{key}");
            layer.key(&path, &[]);
        }
        layer.key(&path, &[("Debugger", 1, debugger)]);
        let mut buffer = [0; 32];
        let image = wide!("winlogon.exe");
        let told = layer.query_image_debugger(image, &mut buffer);
        assert_eq!(told.map(|text| text.until_nul()), Ok(wide!("ntsd -d")));
        refuse_next(layer, Status::ACCESS_DENIED);
        assert_eq!(
            layer.query_image_debugger(image, &mut buffer),
            Err(Status::ACCESS_DENIED)
        );
        assert_eq!(layer.about("query_image_debugger"), ["winlogon.exe"; 2]);
    });
}

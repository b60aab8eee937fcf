// SPDX-License-Identifier: GPL-2.0-or-later
//! Both forms of what lies in user memory.

use super::*;
use abi::amd64::{CONTEXT_CONTROL, CONTEXT_FLOATING_POINT};
use abi::i386;

/// An i386 program's bytes of `value`, and what comes back of them.
fn there_and_back<T: Layout>(value: T) -> (Vec<u8>, T) {
    let bytes = Architecture::I386.bytes_of(value);
    let back = Architecture::I386.take(|into| {
        into.copy_from_slice(&bytes);
        Ok::<(), ()>(())
    });
    (bytes, back.expect("bytes"))
}

#[test]
fn a_string_of_an_i386_program_has_its_buffer_behind_its_lengths() {
    let string = UnicodeString {
        length: 4,
        maximum_length: 6,
        buffer: 0x7654_3210,
        ..UnicodeString::default()
    };
    let (bytes, back) = there_and_back(string);
    assert_eq!(bytes, [4, 0, 6, 0, 0x10, 0x32, 0x54, 0x76]);
    assert_eq!(back, string);
    assert_eq!(Architecture::Amd64.bytes_of(string), string.as_bytes());
}

#[test]
fn spec_13_4_every_layout_has_its_size_in_both_forms() {
    fn sizes<T: Layout>() -> [usize; 2] {
        [Architecture::Amd64, Architecture::I386].map(|arch| arch.size_of::<T>())
    }
    assert_eq!(sizes::<Word>(), [8, 4]);
    assert_eq!(sizes::<u64>(), [8, 8], "a number keeps its width");
    assert_eq!(sizes::<ObjectAttributes>(), [0x30, 0x18]);
    assert_eq!(sizes::<PortMessage>(), [0x28, 0x18]);
    assert_eq!(sizes::<SectionImage>(), [0x40, 0x30]);
    assert_eq!(sizes::<ProcessParameters>(), [0x3F0, 0x290]);
    assert_eq!(sizes::<FileBasic>(), [0x28, 0x28]);
    assert_eq!(sizes::<Context>(), [0x4D0, 0x2CC]);
}

#[test]
fn layouts_in_layouts_and_arrays_of_them_go_the_same_way() {
    let mut parameters = ProcessParameters {
        flags: 1,
        environment: 0x10_0000,
        ..ProcessParameters::default()
    };
    parameters.current_directories[31].path.buffer = 0x20_0000;
    let (bytes, back) = there_and_back(parameters);
    assert_eq!(bytes[0x48..0x4C], 0x10_0000_u32.to_le_bytes());
    assert_eq!(bytes[0x28C..0x290], 0x20_0000_u32.to_le_bytes());
    assert_eq!(back, parameters);
}

#[test]
fn a_number_of_64_bits_keeps_its_place_behind_an_odd_count_of_pointers() {
    let peb = Peb {
        critical_section_timeout: 0x1122_3344_5566_7788,
        process_heaps: 0x7FFD_0230,
        ..Peb::default()
    };
    let (bytes, back) = there_and_back(peb);
    assert_eq!(bytes[0x70..0x78], 0x1122_3344_5566_7788_u64.to_le_bytes());
    assert_eq!(back, peb);
}

#[test]
fn a_message_counts_the_header_of_its_program() {
    let header = PortMessage {
        data_length: 0x10,
        total_length: 0x38,
        message_id: 7,
        ..PortMessage::default()
    };
    let (bytes, back) = there_and_back(header);
    assert_eq!(bytes[..4], [0x10, 0, 0x28, 0]);
    assert_eq!(bytes[0x10..0x14], [7, 0, 0, 0]);
    assert_eq!(back, header);
}

#[test]
fn the_registers_of_an_i386_program_are_the_lower_halves() {
    let mut context = Context {
        flags: CONTEXT_CONTROL | CONTEXT_FLOATING_POINT,
        mxcsr: 0x1F80,
        cs: 0x1B,
        rip: 0x40_1000,
        rsp: 0x12_FFF0,
        rdi: 5,
        eflags: 0x202,
        ..Context::new_zeroed()
    };
    // FXSAVE: control word, a used register 1, MXCSR.
    context.float[0] = 0x2_0000_027F;
    context.float[3] = 0x1F80;
    let (bytes, back) = there_and_back(context);
    assert_eq!(bytes[..4], 0x1_0029_u32.to_le_bytes(), "with FXSAVE's part");
    assert_eq!(bytes[0xB8..0xBC], 0x40_1000_u32.to_le_bytes());
    assert_eq!(bytes[0xC4..0xC8], 0x12_FFF0_u32.to_le_bytes());
    assert_eq!(bytes[0x1C..0x20], 0xFFFF_027F_u32.to_le_bytes());
    assert_eq!(bytes[0x24..0x28], 0xFFFF_FFF3_u32.to_le_bytes(), "tags");
    assert_eq!(back, context);
}

#[test]
fn the_older_form_of_the_x87_state_counts_where_there_is_no_newer_one() {
    let mut narrow = i386::Context::new_zeroed();
    narrow.flags = i386::CONTEXT_I386 | 8;
    narrow.float.control = 0xFFFF_0300;
    narrow.float.tag = 0xFFFF_FFFC;
    narrow.float.registers[..2].copy_from_slice(&[0xAA, 0xBB]);
    let wide = Context::widened(narrow);
    assert!(has_part(&wide, CONTEXT_FLOATING_POINT));
    assert_eq!(wide.float[0], 0x1_0000_0300);
    assert_eq!((wide.mxcsr, wide.float[3] as u32), (0x1F80, 0x1F80));
    assert_eq!(wide.float[4], 0xBBAA);
}

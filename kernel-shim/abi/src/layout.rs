// SPDX-License-Identifier: GPL-2.0-or-later
//! How a layout is held: its size and the offsets of its fields, asserted at compile time.

/// Asserts sizes and offsets. A structure with pointers has two columns, 64-bit and 32-bit; one
/// without has a single column.
///
/// ```ignore
/// layout!(UnicodeString<P> { size: 0x10 | 0x8, buffer: 0x8 | 0x4 });
/// layout!(FileBasic { size: 0x28, attributes: 0x20 });
/// ```
macro_rules! layout {
    ($name:ident<P> { size: $size64:literal | $size32:literal
        $(, $($field:ident).+: $offset64:literal | $offset32:literal)* $(,)? }) => {
        const _: () = {
            use core::mem::offset_of;
            assert!(size_of::<$name<u64>>() == $size64);
            assert!(size_of::<$name<u32>>() == $size32);
            $(
                assert!(offset_of!($name<u64>, $($field).+) == $offset64);
                assert!(offset_of!($name<u32>, $($field).+) == $offset32);
            )*
        };
    };
    ($name:ident { size: $size:literal $(, $field:ident: $offset:literal)* $(,)? }) => {
        const _: () = {
            assert!(size_of::<$name>() == $size);
            $(assert!(core::mem::offset_of!($name, $field) == $offset);)*
        };
    };
}

// SPDX-License-Identifier: GPL-2.0-or-later
//! Security descriptors, ACLs and SIDs, built byte for byte at compile time (spec 2.2).
//!
//! A descriptor is self-relative, revision 1, with a DACL of revision 2 and neither owner nor
//! group: the kernel takes those from the creator's token. The one builder,
//! [`Descriptor::with_dacl`], is `const`, so that a descriptor is a constant of the image, of which
//! [`descriptor!`](crate::descriptor!) keeps no more than its bytes.

/// A SID of revision 1 with one or two sub-authorities.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Sid {
    authority: u8,
    sub: [u32; 2],
    count: usize,
}

impl Sid {
    /// Bytes of the longest one.
    pub const SIZE: usize = 16;

    /// Everyone, S-1-1-0.
    pub const WORLD: Self = Self::new(1, [0]);
    /// Creator owner, S-1-3-0.
    pub const CREATOR_OWNER: Self = Self::new(3, [0]);
    /// Restricted code, S-1-5-12.
    pub const RESTRICTED_CODE: Self = Self::new(5, [12]);
    /// Authenticated users, S-1-5-11.
    pub const AUTHENTICATED_USERS: Self = Self::new(5, [11]);
    /// Local Service, S-1-5-19: an account of the system's that is no administrator.
    pub const LOCAL_SERVICE: Self = Self::new(5, [19]);
    /// Built-in Users, S-1-5-32-545.
    pub const USERS: Self = Self::new(5, [32, 545]);
    /// Local System, S-1-5-18.
    pub const LOCAL_SYSTEM: Self = Self::new(5, [18]);
    /// Built-in Administrators, S-1-5-32-544.
    pub const ADMINISTRATORS: Self = Self::new(5, [32, 544]);

    const fn new<const N: usize>(authority: u8, parts: [u32; N]) -> Self {
        let mut sub = [0; 2];
        let mut count = 0;
        while count < N {
            sub[count] = parts[count];
            count += 1;
        }
        Self {
            authority,
            sub,
            count,
        }
    }

    const fn byte_len(self) -> usize {
        8 + 4 * self.count
    }

    /// Its bytes, with zeros behind it if it has one sub-authority.
    pub const fn bytes(self) -> [u8; Self::SIZE] {
        let mut bytes = [0; Self::SIZE];
        bytes[0] = 1;
        bytes[1] = self.count as u8;
        bytes[7] = self.authority;
        let mut index = 0;
        while index < self.byte_len() - 8 {
            bytes[8 + index] = self.sub[index / 4].to_le_bytes()[index % 4];
            index += 1;
        }
        bytes
    }
}

/// One ACCESS_ALLOWED_ACE.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Ace {
    /// `OBJECT_INHERIT_ACE` 1, `CONTAINER_INHERIT_ACE` 2, `INHERIT_ONLY_ACE` 8.
    pub flags: u8,
    /// What is granted.
    pub mask: u32,
    /// To whom.
    pub sid: Sid,
}

impl Ace {
    /// Object and container inherit, inherit only (`OICIIO`).
    pub const INHERIT_ONLY: u8 = 0x0B;

    /// Grants `mask` on the object itself.
    pub const fn allow(mask: u32, sid: Sid) -> Self {
        Self {
            flags: 0,
            mask,
            sid,
        }
    }

    /// Grants `mask` on what is made inside the object.
    pub const fn inherit(mask: u32, sid: Sid) -> Self {
        Self {
            flags: Self::INHERIT_ONLY,
            mask,
            sid,
        }
    }

    const fn byte_len(self) -> usize {
        8 + self.sid.byte_len()
    }
}

/// `SE_DACL_PRESENT`.
pub const SE_DACL_PRESENT: u16 = 0x0004;
/// `SE_DACL_DEFAULTED`: the parent's inheritable ACEs, if any, take precedence (spec 2.2).
pub const SE_DACL_DEFAULTED: u16 = 0x0008;
/// `SE_SELF_RELATIVE`.
pub const SE_SELF_RELATIVE: u16 = 0x8000;

/// Bytes of a descriptor before its DACL.
pub const HEADER: usize = 20;
const CAPACITY: usize = 256;

/// A self-relative security descriptor of at most 256 bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Descriptor {
    bytes: [u8; CAPACITY],
    length: usize,
}

impl Descriptor {
    /// A present DACL with these ACEs in this order. Evaluated in a constant, a DACL too large for
    /// the type does not compile.
    pub const fn with_dacl(aces: &[Ace]) -> Self {
        let mut this = Self {
            bytes: [0; CAPACITY],
            length: HEADER,
        };
        this.bytes[0] = 1;
        this.put16(2, SE_SELF_RELATIVE | SE_DACL_PRESENT);
        this.put32(16, HEADER as u32);
        let mut at = HEADER + 8;
        let mut index = 0;
        while index < aces.len() {
            let ace = aces[index];
            this.bytes[at + 1] = ace.flags;
            this.put16(at + 2, ace.byte_len() as u16);
            this.put32(at + 4, ace.mask);
            this.put_sid(at + 8, ace.sid);
            at += ace.byte_len();
            index += 1;
        }
        this.bytes[HEADER] = 2;
        this.put16(HEADER + 2, (at - HEADER) as u16);
        this.put16(HEADER + 4, aces.len() as u16);
        this.length = at;
        this
    }

    /// A present NULL DACL: everyone may do everything.
    pub const fn with_null_dacl() -> Self {
        let mut this = Self {
            bytes: [0; CAPACITY],
            length: HEADER,
        };
        this.bytes[0] = 1;
        this.put16(2, SE_SELF_RELATIVE | SE_DACL_PRESENT);
        this
    }

    /// Two descriptors over one DACL: this one, in front of which there is, for [`HEADER`] bytes, the header
    /// of the same with `SE_DACL_DEFAULTED` set.
    pub const fn behind_defaulted(&self) -> Self {
        let mut both = Self {
            bytes: [0; CAPACITY],
            length: HEADER + self.length,
        };
        both.bytes[0] = 1;
        both.put16(2, SE_SELF_RELATIVE | SE_DACL_PRESENT | SE_DACL_DEFAULTED);
        if self.length > HEADER {
            both.put32(16, 2 * HEADER as u32);
        }
        let mut at = 0;
        while at < self.length {
            both.bytes[HEADER + at] = self.bytes[at];
            at += 1;
        }
        both
    }

    /// The bytes.
    pub fn as_bytes(&self) -> &[u8] {
        self.bytes.get(..self.length).unwrap_or_default()
    }

    /// How many bytes it has.
    pub const fn byte_len(&self) -> usize {
        self.length
    }

    /// The bytes alone: `N` is how many there are.
    pub const fn trimmed<const N: usize>(&self) -> Trimmed<N> {
        let mut bytes = [0; N];
        let mut at = 0;
        while at < N {
            bytes[at] = self.bytes[at];
            at += 1;
        }
        Trimmed(bytes)
    }

    const fn put16(&mut self, at: usize, value: u16) {
        let bytes = value.to_le_bytes();
        self.bytes[at] = bytes[0];
        self.bytes[at + 1] = bytes[1];
    }

    const fn put32(&mut self, at: usize, value: u32) {
        let bytes = value.to_le_bytes();
        let mut index = 0;
        while index < 4 {
            self.bytes[at + index] = bytes[index];
            index += 1;
        }
    }

    const fn put_sid(&mut self, at: usize, sid: Sid) {
        let bytes = sid.bytes();
        let mut index = 0;
        while index < sid.byte_len() {
            self.bytes[at + index] = bytes[index];
            index += 1;
        }
    }
}

/// The bytes of a descriptor, aligned as a kernel wants them.
#[repr(C, align(4))]
pub struct Trimmed<const N: usize>(pub [u8; N]);

/// The bytes of a [`Descriptor`], made at compile time, with no room behind them.
///
/// ```
/// use nt::security::Descriptor;
///
/// const OPEN: &[u8] = nt::descriptor!(Descriptor::with_null_dacl());
/// assert_eq!(OPEN.len(), 20);
/// ```
#[macro_export]
macro_rules! descriptor {
    ($descriptor:expr) => {{
        const WHOLE: $crate::security::Descriptor = $descriptor;
        const TRIMMED: $crate::security::Trimmed<{ WHOLE.byte_len() }> = WHOLE.trimmed();
        &TRIMMED.0
    }};
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_descriptor_of_the_image_has_its_bytes_and_no_more_and_is_aligned() {
        const DESCRIPTOR: Descriptor =
            Descriptor::with_dacl(&[Ace::allow(0x1000_0000, Sid::ADMINISTRATORS)]);
        let bytes: &[u8] = crate::descriptor!(DESCRIPTOR);
        assert_eq!(bytes, DESCRIPTOR.as_bytes());
        assert_eq!(bytes.as_ptr().addr() % 4, 0);
        // The image's are cut by the compiler; whoever cuts one gets the same.
        assert_eq!(DESCRIPTOR.trimmed::<{ DESCRIPTOR.byte_len() }>().0, *bytes);
    }

    #[test]
    fn one_ace_has_the_reference_bytes() {
        let granted = Descriptor::with_dacl(&[Ace::allow(0x1000_0000, Sid::ADMINISTRATORS)]);
        #[rustfmt::skip]
        let reference: &[u8] = &[
            1, 0, 0x04, 0x80, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 20, 0, 0, 0, // SECURITY_DESCRIPTOR_RELATIVE
            2, 0, 32, 0, 1, 0, 0, 0, // ACL: revision 2, 32 bytes, one ACE
            0, 0, 24, 0, 0, 0, 0, 0x10, // ACCESS_ALLOWED_ACE, GENERIC_ALL
            1, 2, 0, 0, 0, 0, 0, 5, 32, 0, 0, 0, 0x20, 2, 0, 0, // S-1-5-32-544
        ];
        assert_eq!(granted.as_bytes(), reference);
    }

    #[test]
    fn aces_follow_each_other_and_what_is_inherited_says_so() {
        let two = Descriptor::with_dacl(&[
            Ace::allow(0x2000_0000, Sid::CREATOR_OWNER),
            Ace::inherit(0xA000_0001, Sid::LOCAL_SYSTEM),
        ]);
        #[rustfmt::skip]
        let reference: &[u8] = &[
            1, 0, 0x04, 0x80, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 20, 0, 0, 0, // SECURITY_DESCRIPTOR_RELATIVE
            2, 0, 48, 0, 2, 0, 0, 0, // ACL: 48 bytes, two ACEs
            0, 0, 20, 0, 0, 0, 0, 0x20, 1, 1, 0, 0, 0, 0, 0, 3, 0, 0, 0, 0, // GENERIC_EXECUTE, S-1-3-0
            0, 0x0B, 20, 0, 1, 0, 0, 0xA0, 1, 1, 0, 0, 0, 0, 0, 5, 18, 0, 0, 0, // OICIIO, S-1-5-18
        ];
        assert_eq!(two.as_bytes(), reference);
    }

    #[test]
    fn a_defaulted_descriptor_has_the_dacl_of_the_one_behind_it() {
        let plain = Descriptor::with_dacl(&[Ace::allow(0x2000_0000, Sid::WORLD)]);
        let both = plain.behind_defaulted();
        let (defaulted, behind) = both.as_bytes().split_at(HEADER);
        let offset = 40;
        assert_eq!(
            defaulted,
            [
                1, 0, 0x0C, 0x80, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, offset, 0, 0, 0
            ]
        );
        assert_eq!(behind, plain.as_bytes());
        assert_eq!(both.as_bytes()[usize::from(offset)..], behind[HEADER..]);

        // A null DACL is nowhere.
        let both = Descriptor::with_null_dacl().behind_defaulted();
        assert_eq!(both.as_bytes()[16..HEADER], [0; 4]);
    }

    #[test]
    fn a_null_dacl_is_present_and_has_no_offset() {
        let bytes = Descriptor::with_null_dacl();
        assert_eq!(
            bytes.as_bytes(),
            &[
                1, 0, 4, 0x80, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0
            ]
        );
    }
}

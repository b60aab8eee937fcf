// SPDX-License-Identifier: GPL-2.0-or-later
//! Access tokens: who a process is, and which privileges it has and has enabled (spec 1.1 rows 8
//! and 9, 9.7).
//!
//! A privilege is named by the low part of its LUID; the high part is 0 for every one there is.
//! Invariant: a token has each privilege at most once, in the order in which it was made with.

use super::acl::Ace;
use super::sid::Sid;
use alloc::vec;
use alloc::vec::Vec;
use nt::access::Access;
use nt::{Result, Status};

/// SeCreateTokenPrivilege.
pub const CREATE_TOKEN: u32 = 2;
/// SeAssignPrimaryTokenPrivilege.
pub const ASSIGN_PRIMARY: u32 = 3;
/// SeLockMemoryPrivilege.
pub const LOCK_MEMORY: u32 = 4;
/// SeIncreaseQuotaPrivilege.
pub const INCREASE_QUOTA: u32 = 5;
/// SeTcbPrivilege.
pub const TCB: u32 = 7;
/// SeSecurityPrivilege.
pub const SECURITY: u32 = 8;
/// SeTakeOwnershipPrivilege.
pub const TAKE_OWNERSHIP: u32 = 9;
/// SeLoadDriverPrivilege.
pub const LOAD_DRIVER: u32 = 10;
/// SeSystemtimePrivilege.
pub const SYSTEM_TIME: u32 = 12;
/// SeProfileSingleProcessPrivilege.
pub const PROFILE_SINGLE: u32 = 13;
/// SeIncreaseBasePriorityPrivilege.
pub const INCREASE_BASE_PRIORITY: u32 = 14;
/// SeCreatePagefilePrivilege.
pub const CREATE_PAGEFILE: u32 = 15;
/// SeCreatePermanentPrivilege.
pub const CREATE_PERMANENT: u32 = 16;
/// SeBackupPrivilege.
pub const BACKUP: u32 = 17;
/// SeRestorePrivilege.
pub const RESTORE: u32 = 18;
/// SeShutdownPrivilege.
pub const SHUTDOWN: u32 = 19;
/// SeDebugPrivilege.
pub const DEBUG: u32 = 20;
/// SeAuditPrivilege.
pub const AUDIT: u32 = 21;
/// SeSystemEnvironmentPrivilege.
pub const SYSTEM_ENVIRONMENT: u32 = 22;
/// SeChangeNotifyPrivilege.
pub const CHANGE_NOTIFY: u32 = 23;
/// SeUndockPrivilege.
pub const UNDOCK: u32 = 25;
/// SeManageVolumePrivilege.
pub const MANAGE_VOLUME: u32 = 28;
/// SeImpersonatePrivilege.
pub const IMPERSONATE: u32 = 29;
/// SeCreateGlobalPrivilege.
pub const CREATE_GLOBAL: u32 = 30;

/// `SE_PRIVILEGE_ENABLED_BY_DEFAULT`.
pub const ENABLED_BY_DEFAULT: u32 = 1;
/// `SE_PRIVILEGE_ENABLED`.
pub const ENABLED: u32 = 2;
/// `SE_PRIVILEGE_REMOVED`.
pub const REMOVED: u32 = 4;

/// `SE_GROUP_MANDATORY`, by default, enabled.
const GROUP: u32 = 7;
/// `SE_GROUP_MANDATORY`.
pub const GROUP_MANDATORY: u32 = 1;
/// `SE_GROUP_OWNER`.
const GROUP_MAY_OWN: u32 = 8;
/// `SE_GROUP_OWNER`, by default, enabled.
const GROUP_OWNER: u32 = 0xe;
/// `SE_GROUP_ENABLED`.
pub const GROUP_ENABLED: u32 = 4;
/// `SE_GROUP_USE_FOR_DENY_ONLY`.
pub const GROUP_DENY_ONLY: u32 = 0x10;

/// `STATUS_INVALID_OWNER`.
pub const INVALID_OWNER: Status = Status::new(0xC000_005A);
/// `STATUS_INVALID_PRIMARY_GROUP`.
pub const INVALID_PRIMARY_GROUP: Status = Status::new(0xC000_005B);
/// `STATUS_NO_SUCH_LOGON_SESSION`.
pub const NO_SUCH_LOGON_SESSION: Status = Status::new(0xC000_005F);
/// `STATUS_TOKEN_ALREADY_IN_USE`.
pub const TOKEN_ALREADY_IN_USE: Status = Status::new(0xC000_012B);

/// The system's logon session.
pub const SYSTEM_LOGON: u32 = 0x3e7;
/// The logon sessions that the kernel makes itself: of the system, and of anonymous logons. Others
/// are LSA's to make, and there is none.
const LOGON_SESSIONS: [u32; 2] = [SYSTEM_LOGON, 0x3e6];

/// A privilege of a token.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TokenPrivilege {
    /// Low part of its LUID.
    pub privilege: u32,
    /// `SE_PRIVILEGE_` bits.
    pub attributes: u32,
}

/// A group of a token.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TokenGroup {
    /// The group.
    pub sid: Sid,
    /// `SE_GROUP_` bits.
    pub attributes: u32,
}

/// An access token.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Token {
    /// The user.
    pub user: Sid,
    /// Its groups.
    pub groups: Vec<TokenGroup>,
    /// The group that objects get.
    pub primary_group: Sid,
    /// Which group objects belong to; `None`: the user.
    pub owner_group: Option<usize>,
    /// What objects get that nothing else decides.
    pub default_dacl: Option<Vec<Ace>>,
    /// Privileges.
    pub privileges: Vec<TokenPrivilege>,
    /// Low part of the logon session's LUID.
    pub logon: u32,
    /// `SessionId`.
    pub session: u32,
    /// An impersonation token: its SECURITY_IMPERSONATION_LEVEL.
    pub impersonation: Option<u32>,
}

/// What NtCreateToken is given.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NewToken {
    /// The user.
    pub user: Sid,
    /// Its groups.
    pub groups: Vec<TokenGroup>,
    /// Its privileges, as `(LUID, attributes)`.
    pub privileges: Vec<(u64, u32)>,
    /// Who owns what its holder makes; `None`: the user.
    pub owner: Option<Sid>,
    /// The group of what its holder makes.
    pub primary_group: Sid,
    /// What objects get that nothing else decides.
    pub default_dacl: Option<Vec<Ace>>,
    /// The logon session's LUID.
    pub logon: u64,
    /// An impersonation token's level; `None` is a primary token.
    pub impersonation: Option<u32>,
}

/// The result of an adjustment.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Adjusted {
    /// `SUCCESS` or `NOT_ALL_ASSIGNED`.
    pub status: Status,
    /// The changed ones as they were before.
    pub previous: Vec<TokenPrivilege>,
}

impl Token {
    /// The System process's token.
    pub fn system() -> Self {
        const READ_EXECUTE: Access = Access::GENERIC_READ
            .union(Access::GENERIC_EXECUTE)
            .union(Access::READ_CONTROL);
        let group = |sid: Sid, attributes: u32| TokenGroup { sid, attributes };
        // In the order of the token; `true`: enabled from the beginning.
        let privileges = [
            (TCB, true),
            (CREATE_TOKEN, false),
            (TAKE_OWNERSHIP, false),
            (CREATE_PAGEFILE, true),
            (LOCK_MEMORY, true),
            (ASSIGN_PRIMARY, false),
            (INCREASE_QUOTA, false),
            (INCREASE_BASE_PRIORITY, true),
            (CREATE_PERMANENT, true),
            (DEBUG, true),
            (AUDIT, true),
            (SECURITY, false),
            (SYSTEM_ENVIRONMENT, false),
            (CHANGE_NOTIFY, true),
            (BACKUP, false),
            (RESTORE, false),
            (SHUTDOWN, false),
            (LOAD_DRIVER, false),
            (PROFILE_SINGLE, true),
            (SYSTEM_TIME, false),
            (UNDOCK, false),
            (MANAGE_VOLUME, false),
            (IMPERSONATE, true),
            (CREATE_GLOBAL, true),
        ];
        let privilege = |(privilege, enabled)| {
            let attributes = if enabled {
                ENABLED_BY_DEFAULT | ENABLED
            } else {
                0
            };
            TokenPrivilege {
                privilege,
                attributes,
            }
        };
        Self {
            user: Sid::system(),
            groups: vec![
                group(Sid::administrators(), GROUP_OWNER),
                group(Sid::world(), GROUP),
                group(Sid::authenticated_users(), GROUP),
                group(Sid::local(), GROUP_ENABLED),
            ],
            primary_group: Sid::system(),
            owner_group: Some(0),
            default_dacl: Some(vec![
                Ace::allow(0, Access::GENERIC_ALL, Sid::system()),
                Ace::allow(0, READ_EXECUTE, Sid::administrators()),
            ]),
            privileges: privileges.into_iter().map(privilege).collect(),
            logon: SYSTEM_LOGON,
            session: 0,
            impersonation: None,
        }
    }

    /// A token as NtCreateToken makes it: a mandatory group is enabled, the owner is the user or a
    /// group that may own, the primary group is one of the token's own.
    ///
    /// # Errors
    /// [`NO_SUCH_LOGON_SESSION`], [`INVALID_OWNER`], [`INVALID_PRIMARY_GROUP`]; `INVALID_PARAMETER`
    /// for a privilege that there is not or that is named twice, which NT would keep.
    pub fn create(new: NewToken) -> Result<Self> {
        let logon = u32::try_from(new.logon).map_err(|_| NO_SUCH_LOGON_SESSION)?;
        if !LOGON_SESSIONS.contains(&logon) {
            return Err(NO_SUCH_LOGON_SESSION);
        }
        let mut groups = new.groups;
        for group in &mut groups {
            if group.attributes & GROUP_MANDATORY != 0 {
                group.attributes |= GROUP;
            }
        }
        let owner_group = match new.owner {
            Some(owner) if owner != new.user => Some(
                groups
                    .iter()
                    .position(|group| group.sid == owner && group.attributes & GROUP_MAY_OWN != 0)
                    .ok_or(INVALID_OWNER)?,
            ),
            _ => None,
        };
        let own = |sid: &Sid| new.user == *sid || groups.iter().any(|group| group.sid == *sid);
        if !own(&new.primary_group) {
            return Err(INVALID_PRIMARY_GROUP);
        }
        let mut privileges: Vec<TokenPrivilege> = Vec::new();
        for (luid, attributes) in new.privileges {
            let privilege = u32::try_from(luid).map_err(|_| Status::INVALID_PARAMETER)?;
            if !(CREATE_TOKEN..=CREATE_GLOBAL).contains(&privilege)
                || privileges.iter().any(|have| have.privilege == privilege)
            {
                return Err(Status::INVALID_PARAMETER);
            }
            privileges.push(TokenPrivilege {
                privilege,
                attributes,
            });
        }
        Ok(Self {
            user: new.user,
            groups,
            primary_group: new.primary_group,
            owner_group,
            default_dacl: new.default_dacl,
            privileges,
            logon,
            session: 0,
            impersonation: new.impersonation,
        })
    }

    /// Who owns what this token's holder makes.
    pub fn owner(&self) -> &Sid {
        self.owner_group
            .and_then(|index| self.groups.get(index))
            .map_or(&self.user, |group| &group.sid)
    }

    /// Whether a privilege is there and enabled.
    pub fn has(&self, privilege: u32) -> bool {
        self.privileges
            .iter()
            .any(|have| have.privilege == privilege && have.attributes & ENABLED != 0)
    }

    /// Whether the SID is the user or an enabled group; a group for denial only counts when
    /// something is denied.
    pub fn is_member(&self, sid: &Sid, deny: bool) -> bool {
        let counts = |group: &TokenGroup| {
            group.attributes & GROUP_ENABLED != 0 || deny && group.attributes & GROUP_DENY_ONLY != 0
        };
        self.user == *sid
            || self
                .groups
                .iter()
                .any(|group| group.sid == *sid && counts(group))
    }

    /// NtAdjustPrivilegesToken, with `changes` as `(privilege, attributes)`; `None` disables all.
    /// A privilege the token lacks is skipped, and `NOT_ALL_ASSIGNED` says so. With `apply` false
    /// nothing changes, and the answer is what it would be.
    pub fn adjust(&mut self, changes: Option<&[(u64, u32)]>, apply: bool) -> Adjusted {
        let mut previous = Vec::new();
        let mut found = 0;
        self.privileges.retain_mut(|have| {
            let attributes = match changes {
                None => have.attributes & !ENABLED,
                Some(changes) => match changes
                    .iter()
                    .find(|(luid, _)| *luid == u64::from(have.privilege))
                {
                    None => return true,
                    Some((_, wanted)) => wanted & (ENABLED | REMOVED) | have.attributes & !ENABLED,
                },
            };
            found += 1;
            if attributes == have.attributes {
                return true;
            }
            previous.push(*have);
            if !apply {
                return true;
            }
            have.attributes = attributes;
            attributes & REMOVED == 0
        });
        let missed = changes.is_some_and(|changes| found < changes.len());
        Adjusted {
            status: if missed {
                Status::NOT_ALL_ASSIGNED
            } else {
                Status::SUCCESS
            },
            previous,
        }
    }

    /// NtPrivilegeCheck of one privilege.
    ///
    /// # Errors
    /// `PRIVILEGE_NOT_HELD`.
    pub fn demand(&self, privilege: u32) -> Result<()> {
        if self.has(privilege) {
            Ok(())
        } else {
            Err(Status::PRIVILEGE_NOT_HELD)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn spec_1_1_rows_8_and_9_the_system_token() {
        let token = Token::system();
        assert_eq!(token.user, Sid::system());
        assert_eq!(token.owner(), &Sid::administrators());
        for on in [7, 15, 4, 14, 16, 20, 21, 23, 13, 29, 30] {
            assert!(token.has(on), "{on}");
        }
        for off in [2, 9, 3, 5, 8, 22, 17, 18, 19, 10, 12, 25, 28] {
            assert!(
                !token.has(off) && token.privileges.iter().any(|have| have.privilege == off),
                "{off}"
            );
        }
        assert_eq!(token.privileges.len(), 24);
        assert!(
            token.is_member(&Sid::world(), false) && !token.is_member(&Sid::restricted(), false)
        );
    }

    /// What a plain user's token is made of.
    fn plain() -> NewToken {
        let group = |sid, attributes| TokenGroup { sid, attributes };
        NewToken {
            user: Sid::new(5, &[19]),
            groups: vec![
                group(Sid::world(), GROUP_MANDATORY),
                group(Sid::new(5, &[32, 545]), GROUP_OWNER),
                group(Sid::local(), 0),
            ],
            privileges: vec![(u64::from(CHANGE_NOTIFY), ENABLED)],
            owner: None,
            primary_group: Sid::new(5, &[19]),
            default_dacl: None,
            logon: SYSTEM_LOGON.into(),
            impersonation: None,
        }
    }

    #[test]
    fn a_new_token_has_what_it_was_made_of_and_its_mandatory_groups_are_enabled() {
        let token = Token::create(plain()).unwrap();
        assert!(token.is_member(&Sid::world(), false) && !token.is_member(&Sid::local(), false));
        assert!(!token.is_member(&Sid::administrators(), true));
        assert!(token.has(CHANGE_NOTIFY) && !token.has(TCB));
        assert_eq!(token.owner(), &token.user);
        let owned = Token::create(NewToken {
            owner: Some(Sid::new(5, &[32, 545])),
            ..plain()
        });
        assert_eq!(owned.unwrap().owner(), &Sid::new(5, &[32, 545]));
    }

    #[test]
    fn a_new_token_is_refused_for_what_is_not_its_own() {
        let refused = |change: fn(&mut NewToken)| {
            let mut new = plain();
            change(&mut new);
            Token::create(new).map(drop)
        };
        assert_eq!(
            refused(|new| new.logon = 0x1234),
            Err(NO_SUCH_LOGON_SESSION)
        );
        for owner in [Sid::system(), Sid::world()] {
            let new = NewToken {
                owner: Some(owner),
                ..plain()
            };
            assert_eq!(Token::create(new).map(drop), Err(INVALID_OWNER));
        }
        assert_eq!(
            refused(|new| new.primary_group = Sid::system()),
            Err(INVALID_PRIMARY_GROUP)
        );
        for luid in [1, 31, 1 << 32 | 23, 23] {
            let mut new = plain();
            new.privileges.push((luid, 0));
            assert_eq!(
                Token::create(new).map(drop),
                Err(Status::INVALID_PARAMETER),
                "{luid:#x}"
            );
        }
    }

    #[test]
    fn spec_9_7_an_adjustment_tells_what_was_before() {
        let mut token = Token::system();
        let change = [(u64::from(LOAD_DRIVER), ENABLED)];
        let looked = token.adjust(Some(&change), false);
        assert!(!token.has(LOAD_DRIVER));
        let adjusted = token.adjust(Some(&change), true);
        assert_eq!(looked, adjusted);
        assert!(token.has(LOAD_DRIVER));
        assert_eq!(
            adjusted.previous,
            [TokenPrivilege {
                privilege: LOAD_DRIVER,
                attributes: 0
            }]
        );
        assert_eq!(token.adjust(Some(&change), true).previous, []);
        let restored: Vec<_> = adjusted
            .previous
            .iter()
            .map(|old| (u64::from(old.privilege), old.attributes))
            .collect();
        assert_eq!(token.adjust(Some(&restored), true).status, Status::SUCCESS);
        assert!(!token.has(LOAD_DRIVER));
    }

    #[test]
    fn spec_9_7_a_privilege_the_token_has_not_got_is_not_all_assigned() {
        let mut token = Token::system();
        let adjusted = token.adjust(Some(&[(6, ENABLED), (u64::from(SHUTDOWN), ENABLED)]), true);
        assert_eq!(adjusted.status, Status::NOT_ALL_ASSIGNED);
        assert!(
            token.has(SHUTDOWN),
            "the one that is there is changed all the same"
        );
        assert_eq!(
            token
                .adjust(Some(&[(1 << 32 | u64::from(SHUTDOWN), 0)]), true)
                .status,
            Status::NOT_ALL_ASSIGNED
        );
        assert_eq!(
            token
                .adjust(Some(&[(u64::from(SHUTDOWN), REMOVED)]), true)
                .status,
            Status::SUCCESS
        );
        assert_eq!(
            token
                .adjust(Some(&[(u64::from(SHUTDOWN), ENABLED)]), true)
                .status,
            Status::NOT_ALL_ASSIGNED
        );
    }

    #[test]
    fn all_privileges_can_be_disabled_at_once() {
        let mut token = Token::system();
        assert_eq!(token.adjust(None, true).previous.len(), 11);
        assert_eq!(token.demand(CHANGE_NOTIFY), Err(Status::PRIVILEGE_NOT_HELD));
    }
}

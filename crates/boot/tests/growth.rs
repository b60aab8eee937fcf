// SPDX-License-Identifier: GPL-2.0-or-later
//! What a long list of pending renames costs: elementary steps, at three sizes.

use boot::process_renames;
use nt::UnicodeStr;
use test_support::host::{Watched, watched, wide, world};

/// Steps of a list of `count` operations on files that are not there.
fn steps(count: usize, pair: fn(usize) -> String) -> usize {
    let counted = move |world: &'static Watched| {
        let text: Vec<String> = (0..count).map(pair).collect();
        let text = wide(&text.join("|").replace('|', "\0"));
        let list: Vec<_> = text.split(|&unit| unit == 0).map(UnicodeStr).collect();
        let before = world.steps();
        let summary = process_renames(world, [list, Vec::new()].map(Vec::into_iter));
        assert_eq!(summary.failed, count);
        world.steps() - before
    };
    watched(&mut world(), counted).0
}

fn grows_evenly(pair: fn(usize) -> String) -> usize {
    let costs = [250, 500, 1000].map(|count| steps(count, pair));
    // Quadratic would be sixteen times as much.
    assert!(costs[2] <= costs[0] * 7, "{costs:?}");
    costs[2]
}

#[test]
fn renames_of_one_name_to_itself_cost_no_more_than_distinct_ones() {
    let equal = grows_evenly(|_| "\\??\\C:\\temp\\x|!\\??\\C:\\temp\\x".to_owned());
    let distinct =
        grows_evenly(|number| format!("\\??\\C:\\temp\\{number}|!\\??\\C:\\app\\{number}"));
    assert!(equal * 2 <= distinct * 3, "{equal} against {distinct}");
}

#[test]
fn renames_that_are_in_each_others_way_cost_as_much_as_there_are() {
    grows_evenly(|number| match number % 2 {
        0 => format!("\\??\\C:\\app\\{}|", number / 2),
        _ => format!("\\??\\C:\\new\\{0}|\\??\\C:\\app\\{0}", number / 2),
    });
}

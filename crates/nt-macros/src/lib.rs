// SPDX-License-Identifier: GPL-2.0-or-later
//! The macro behind `nt::text!` and the log lines: a format string, written as for `format!`, becomes
//! a template and the parts that stand in it.
//!
//! ```text
//! nt::info!("session {session}: created for {}", driver.path)
//! nt::logging::info("session %: created for %", &[Show::part(&session), Show::part(&driver.path)])
//! ```
//!
//! `format_args!` would do, but brings `core::fmt` into the image. Of its grammar there is what texts
//! here need: `{}` and `{name}`, each perhaps with `:x` or `:X` and a width such as `:08x`.
#![forbid(unsafe_code)]

mod template;

use proc_macro::{Delimiter, Group, Ident, Literal, Punct, Spacing, Span, TokenStream, TokenTree};
use template::{Place, Template};

/// `text_for!(CALLEE, "text with {places}", arguments)` calls CALLEE with the template and a slice of
/// the parts. The places without a name take the arguments in order.
#[proc_macro]
pub fn text_for(input: TokenStream) -> TokenStream {
    expand(input).unwrap_or_else(|(message, span)| {
        let error: TokenStream = format!("compile_error!({message:?})")
            .parse()
            .expect("a macro call with a string literal is Rust");
        error
            .into_iter()
            .map(|mut token| {
                token.set_span(span);
                token
            })
            .collect()
    })
}

fn expand(input: TokenStream) -> Result<TokenStream, (String, Span)> {
    let mut arguments = split_at_commas(input).into_iter();
    let callee = arguments.next().unwrap_or_default();
    let literal = arguments.next().unwrap_or_default();
    let span = literal
        .clone()
        .into_iter()
        .next()
        .map_or_else(Span::call_site, |token| token.span());
    let refuse = |message: &str| (message.to_owned(), span);

    let template = Template::parse(&literal.to_string()).map_err(refuse)?;
    let mut text: Literal = template
        .source
        .parse()
        .map_err(|_| refuse("a text begins with a string literal"))?;
    text.set_span(span);

    let mut parts = TokenStream::new();
    for Place { name, format } in template.places {
        let value = match name {
            Some(name) => TokenTree::from(Ident::new(&name, span)).into(),
            None => arguments
                .next()
                .ok_or_else(|| refuse("a place without an argument"))?,
        };
        parts.extend(rust("::nt::text::Show::part"));
        let mut reference = TokenStream::from(TokenTree::from(Punct::new('&', Spacing::Alone)));
        reference.extend([parenthesised(value)]);
        parts.extend([parenthesised(reference)]);
        parts.extend(rust(&format));
        parts.extend(rust(","));
    }
    if arguments.next().is_some() {
        return Err(refuse("an argument without a place"));
    }

    let mut list = TokenStream::from(TokenTree::from(text));
    list.extend(rust(", &"));
    list.extend([TokenTree::from(Group::new(Delimiter::Bracket, parts))]);
    let mut call = callee;
    call.extend([parenthesised(list)]);
    Ok(call)
}

/// What stands between the commas; a last comma ends nothing.
fn split_at_commas(input: TokenStream) -> Vec<TokenStream> {
    let mut found = vec![TokenStream::new()];
    for token in input {
        match token {
            TokenTree::Punct(comma) if comma.as_char() == ',' => found.push(TokenStream::new()),
            token => found.last_mut().expect("never empty").extend([token]),
        }
    }
    if found.last().is_some_and(TokenStream::is_empty) {
        found.pop();
    }
    found
}

fn parenthesised(inside: TokenStream) -> TokenTree {
    Group::new(Delimiter::Parenthesis, inside).into()
}

fn rust(source: &str) -> TokenStream {
    source.parse().expect("written here, and Rust")
}

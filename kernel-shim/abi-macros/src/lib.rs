// SPDX-License-Identifier: GPL-2.0-or-later
//! The derive that makes the two widths of a layout out of its one declaration.
//!
//! `#[derive(Widths)]` on a structure that is generic over the width of a pointer, `P`, gives `From`
//! between its 64-bit and its 32-bit form, field by field, as the fields are declared: what is of
//! type `P` is widened with zeros, or loses its upper half; padding is made anew; arrays and layouts
//! in the layout go the same way; everything else is copied.
//!
//! What narrowing cuts off is not looked at: a system whose programs have pointers of 32 bits gives
//! them no address, handle or size beyond that.
#![forbid(unsafe_code)]

use proc_macro::TokenStream;
use quote::{ToTokens, quote};
use syn::{Data, DeriveInput, Error, Fields, Type, parse_macro_input};

/// See the head of this crate.
#[proc_macro_derive(Widths)]
pub fn widths(input: TokenStream) -> TokenStream {
    let input = parse_macro_input!(input as DeriveInput);
    expand(&input).unwrap_or_else(|error| error.to_compile_error().into())
}

fn expand(input: &DeriveInput) -> syn::Result<TokenStream> {
    let refuse = |reason| Err(Error::new_spanned(&input.ident, reason));
    let Data::Struct(structure) = &input.data else {
        return refuse("only a structure has widths");
    };
    let Fields::Named(fields) = &structure.fields else {
        return refuse("only a structure with named fields has widths");
    };
    if input.generics.params.len() != 1 {
        return refuse("only a structure with a pointer P has widths");
    }
    let structure = &input.ident;
    let convert = |wide: bool| {
        fields.named.iter().map(move |field| {
            let name = &field.ident;
            // The structure is packed: a copy, not a reference.
            let value = converted(&field.ty, &quote!({ from.#name }), wide);
            quote!(#name: #value)
        })
    };
    let (widened, narrowed) = (convert(true), convert(false));
    let both = quote! {
        impl From<#structure<u32>> for #structure<u64> {
            fn from(from: #structure<u32>) -> Self {
                Self { #(#widened,)* }
            }
        }

        impl From<#structure<u64>> for #structure<u32> {
            fn from(from: #structure<u64>) -> Self {
                Self { #(#narrowed,)* }
            }
        }
    };
    Ok(both.into())
}

/// `value`, which was declared as `ty`, in the other width.
fn converted(ty: &Type, value: &dyn ToTokens, wide: bool) -> Box<dyn ToTokens> {
    if let Type::Array(array) = ty {
        let item = converted(&array.elem, &quote!(item), wide);
        return Box::new(quote!(#value.map(|item| #item)));
    }
    let text = ty.to_token_stream().to_string();
    Box::new(match text.as_str() {
        "P" if wide => quote!(u64::from(#value)),
        "P" => quote!(#value as u32),
        "P :: Padding" | "P :: Filler" => quote!(Default::default()),
        _ if text.ends_with("< P >") => quote!(From::from(#value)),
        _ => quote!(#value),
    })
}

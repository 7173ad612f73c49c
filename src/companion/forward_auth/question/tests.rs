use super::*;

#[test]
fn a_target_is_read_where_every_reader_reads_the_same() {
    let taken = [
        "/",
        "/about",
        "/a//b/../c/.;x",
        "/%23%2f%5c%00",
        "/a?",
        "/a?b=C:\\d&e=?/../#".trim_end_matches('#'),
        "/!$&'()*+,-.:=@_~[]^|{}\"",
    ];
    for target in taken {
        let uri = origin_form(target.as_bytes()).expect(target);
        assert_eq!(uri.path_and_query().map(PathAndQuery::as_str), Some(target));
        assert!(uri.authority().is_none(), "{target}");
    }
    let refused: [&[u8]; 22] = [
        b"",
        b"about",
        b"*",
        b"#",
        b"/about#",
        b"/about#/../private",
        b"/about?#",
        b"/a b",
        b"/a?b c",
        b" /",
        b"/ ",
        b"/a\t",
        b"/a?\t",
        b"/a\0",
        b"/a\x7f",
        b"/a?\x7f",
        b"/a\xe9",
        b"/a?\xe9",
        b"/a\\b",
        b"\\a",
        b"?a",
        b"https://app.example.com/a",
    ];
    for target in refused {
        let text = String::from_utf8_lossy(target);
        assert_eq!(origin_form(target), None, "{text:?}");
    }
    // Every byte, in the path and in the query: what is taken comes out as it went in.
    for byte in 0..=u8::MAX {
        for target in [
            [&b"/a"[..], &[byte]].concat(),
            [&b"/a?b"[..], &[byte]].concat(),
        ] {
            let Some(uri) = origin_form(&target) else {
                continue;
            };
            let parsed = uri
                .path_and_query()
                .map(|parsed| parsed.as_str().as_bytes());
            assert_eq!(parsed, Some(target.as_slice()), "{byte}");
            assert!(byte.is_ascii_graphic() && byte != b'#', "{byte}");
        }
    }
}

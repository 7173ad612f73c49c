//! The pages that ask before something is done, and the one that leads on.

use super::*;

#[test]
fn signing_out_everywhere_is_the_same_form_with_one_field() {
    let email = "ada@example.com";
    let page = ConfirmPage::new("/auth/logout", Confirmation::SignOut { email });
    let html = DefaultPages::new().render(&Page::Confirm(page));
    let form = between(
        &html,
        "<form method=\"post\" action=\"/auth/logout\">",
        "</form>",
    );
    assert_eq!(form.matches("<button ").count(), 2);
    assert_eq!(form.matches(" name=").count(), 1);
    assert!(form.contains(" name=\"everywhere\" value=\"true\""));
    assert!(html.contains(email));
}

/// A robot that presses the first button, or every one in turn, must begin with the one that gives
/// nothing away.
#[test]
fn saying_no_is_the_first_button_and_signing_in_sends_no_field() {
    let sign_in = Confirmation::SignIn {
        masked: "a•••@example.com",
    };
    let page = ConfirmPage::new("/auth/open?t=x", sign_in);
    let html = DefaultPages::new().render(&Page::Confirm(page));
    let (no, yes) = between(&html, "<form ", "</form>")
        .split_once("</button>")
        .unwrap();
    assert!(no.contains("action=\"/auth/open?t=x\""), "{no}");
    assert!(
        no.contains("type=\"submit\" name=\"answer\" value=\"no\""),
        "{no}"
    );
    assert!(
        yes.contains("<button type=\"submit\"") && !yes.contains(" name="),
        "{yes}"
    );
    assert!(html.contains("a•••@example.com") && !html.contains("<input"));
}

#[test]
fn the_page_that_leads_on_does_so_with_and_without_a_script() {
    let page = OnwardPage::new("/reports?a=1&b=\"2");
    let html = DefaultPages::new().render(&Page::Onward(page));
    let to = "/reports?a=1&#38;b=&#34;2";
    let refresh =
        format!("<noscript><meta http-equiv=\"refresh\" content=\"0;url={to}\"></noscript>");
    assert!(html.contains(&refresh), "{html}");
    assert!(html.contains(&format!(
        "id=\"onward\" href=\"{to}\" autofocus>Continue</a>"
    )));
    assert!(html.find("<script>") > html.find("id=\"onward\""));
}

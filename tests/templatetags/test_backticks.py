"""Code between backticks in the descriptions of the API."""

from labeling.templatetags.backticks import backticks


def test_code_is_marked_and_everything_escaped():
    assert backticks("`a<b`: less & more") == "<code>a&lt;b</code>: less &amp; more"
    assert backticks("<script>") == "&lt;script&gt;"

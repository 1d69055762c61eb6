"""The screens, grouped by prefix. What a screen needs beyond its address, it finds for the user."""

from __future__ import annotations

from django.urls import URLPattern, URLResolver, include, path

from labeling.web import (
    account,
    breaks,
    compare,
    gold_told,
    guidance,
    home,
    images,
    language,
    profile,
    reading,
    sensitive,
    sign_in_again,
    undo,
    work,
)

_account: list[URLPattern | URLResolver] = [
    path("", account.account, name="account"),
    path("profile/", profile.profile, name="profile"),
    path("password/", account.ChangePassword.as_view(), name="change_password"),
    path("tokens/", account.make_token, name="make_token"),
    path("tokens/<int:pk>/revoke/", account.revoke, name="revoke_token"),
]
_sign_in: list[URLPattern | URLResolver] = [
    path("sign-in/", account.SignIn.as_view(), name="sign_in"),
    path("sign-in/again/", sign_in_again.SignInAgain.as_view(), name="sign_in_again"),
    path("sign-out/", account.SignOut.as_view(), name="sign_out"),
    path("forgotten/", account.ForgottenPassword.as_view(), name="forgotten_password"),
    path("forgotten/sent/", account.ForgottenPasswordSent.as_view(), name="forgotten_password_sent"),
    path("forgotten/<uidb64>/<token>/", account.NewPassword.as_view(), name="new_password"),
]
_compare: list[URLPattern | URLResolver] = [
    path("<int:queue_id>/", compare.compare, name="compare"),
    path("<int:queue_id>/next/", compare.claim_next, name="compare_next"),
    path("<int:queue_id>/undo/", undo.undo, name="compare_undo"),
    path("assignments/<int:pk>/submit/", compare.submit, name="compare_submit"),
    path("assignments/<int:pk>/change/", undo.change, name="compare_change"),
    path("assignments/<int:pk>/draft/", compare.save_draft, name="compare_draft"),
    path("assignments/<int:pk>/start-again/", compare.start_again, name="compare_start_again"),
    path("assignments/<int:pk>/renew/", compare.renew, name="compare_renew"),
    path("assignments/<int:pk>/skip/", compare.skip, name="compare_skip"),
    path("assignments/<int:pk>/reading/", reading.choose, name="compare_reading"),
    path("<int:queue_id>/break/", breaks.rest, name="compare_rest"),
    path("<int:queue_id>/go-on/", breaks.go_on, name="compare_go_on"),
    path("assignments/<int:pk>/open/", sensitive.open_sensitive, name="compare_open"),
    path("assignments/<int:pk>/no-more/", sensitive.no_more, name="compare_no_more"),
    path("assignments/<int:pk>/told/", gold_told.told, name="compare_told"),
    path("assignments/<int:pk>/guideline/", guidance.at_hand, name="compare_guideline"),
]
_work: list[URLPattern | URLResolver] = [
    path("", work.work, name="work"),
    path("<int:pk>/", work.detail, name="work_detail"),
]

urlpatterns: list[URLPattern | URLResolver] = [
    path("", home.home, name="home"),
    path("", include(_sign_in)),
    path("account/", include(_account)),
    path("images/<slug:token>/", images.image, name="image"),
    path("language/", language.choose_language, name="language"),
    path("", include("labeling.web.import_urls")),
    path("compare/", include(_compare)),
    path("my-work/", include(_work)),
    path("", include("labeling.web.entry_urls")),
    path("", include("labeling.web.care_urls")),
    path("", include("labeling.web.gold_urls")),
    path("projects/<slug:slug>/webhooks/", include("labeling.web.webhook_urls")),
    path("", include("labeling.web.project_urls")),
]

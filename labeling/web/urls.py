"""The screens, grouped by prefix. What a screen needs beyond its address, it finds for the user."""

from __future__ import annotations

from django.urls import URLPattern, URLResolver, include, path

from labeling.web import account, compare, home, images, language

_account: list[URLPattern | URLResolver] = [
    path("", account.account, name="account"),
    path("password/", account.ChangePassword.as_view(), name="change_password"),
    path("tokens/", account.make_token, name="make_token"),
    path("tokens/<int:pk>/revoke/", account.revoke, name="revoke_token"),
]
_sign_in: list[URLPattern | URLResolver] = [
    path("sign-in/", account.SignIn.as_view(), name="sign_in"),
    path("sign-out/", account.SignOut.as_view(), name="sign_out"),
    path("forgotten/", account.ForgottenPassword.as_view(), name="forgotten_password"),
    path("forgotten/sent/", account.ForgottenPasswordSent.as_view(), name="forgotten_password_sent"),
    path("forgotten/<uidb64>/<token>/", account.NewPassword.as_view(), name="new_password"),
]
_compare: list[URLPattern | URLResolver] = [
    path("<int:queue_id>/", compare.compare, name="compare"),
    path("<int:queue_id>/next/", compare.claim_next, name="compare_next"),
    path("assignments/<int:pk>/submit/", compare.submit, name="compare_submit"),
    path("assignments/<int:pk>/draft/", compare.save_draft, name="compare_draft"),
    path("assignments/<int:pk>/start-again/", compare.start_again, name="compare_start_again"),
    path("assignments/<int:pk>/renew/", compare.renew, name="compare_renew"),
    path("assignments/<int:pk>/skip/", compare.skip, name="compare_skip"),
    path("assignments/<int:pk>/guideline/", compare.guideline, name="compare_guideline"),
]

urlpatterns: list[URLPattern | URLResolver] = [
    path("", home.home, name="home"),
    path("", include(_sign_in)),
    path("account/", include(_account)),
    path("images/<slug:token>/", images.image, name="image"),
    path("language/", language.choose_language, name="language"),
    path("", include("labeling.web.import_urls")),
    path("compare/", include(_compare)),
    path("", include("labeling.web.project_urls")),
]

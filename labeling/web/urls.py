"""The screens, grouped by prefix. What a screen needs beyond its address, it finds for the user."""

from __future__ import annotations

from django.urls import URLPattern, URLResolver, include, path

from labeling.web import account, home

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

urlpatterns: list[URLPattern | URLResolver] = [
    path("", home.home, name="home"),
    path("", include(_sign_in)),
    path("account/", include(_account)),
    path("", include("labeling.web.import_urls")),
]

"""What a person says about themselves: languages they read, and demographics with a consent that can be taken back."""

from __future__ import annotations

from typing import Any

from django import forms
from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_http_methods

from labeling.actions.profile import LONGEST_ANSWER, change_demographics, change_languages
from labeling.actions.refusals import Refused
from labeling.models import RaterProfile
from labeling.models.entry import DEMOGRAPHICS
from labeling.web.guards import PersonRequest
from labeling.web.project_forms import add_refusal

# By tag, in the languages' own names; Han twice, for the two scripts are read by different people.
LANGUAGES = (
    ("ar", "العربية"), ("bn", "বাংলা"), ("bg", "Български"), ("ca", "Català"), ("cs", "Čeština"), ("da", "Dansk"),
    ("de", "Deutsch"), ("el", "Ελληνικά"), ("en", "English"), ("es", "Español"), ("et", "Eesti"), ("fa", "فارسی"),
    ("fi", "Suomi"), ("fil", "Filipino"), ("fr", "Français"), ("gu", "ગુજરાતી"), ("ha", "Hausa"), ("he", "עברית"),
    ("hi", "हिन्दी"), ("hr", "Hrvatski"), ("hu", "Magyar"), ("id", "Bahasa Indonesia"), ("ig", "Igbo"),
    ("it", "Italiano"), ("ja", "日本語"), ("kn", "ಕನ್ನಡ"), ("ko", "한국어"), ("lt", "Lietuvių"), ("lv", "Latviešu"),
    ("ml", "മലയാളം"), ("mr", "मराठी"), ("ms", "Bahasa Melayu"), ("nl", "Nederlands"), ("no", "Norsk"),
    ("pa", "ਪੰਜਾਬੀ"), ("pl", "Polski"), ("pt", "Português"), ("ro", "Română"), ("ru", "Русский"), ("sk", "Slovenčina"),
    ("sl", "Slovenščina"), ("sr", "Српски"), ("sv", "Svenska"), ("sw", "Kiswahili"), ("ta", "தமிழ்"), ("te", "తెలుగు"),
    ("th", "ไทย"), ("tr", "Türkçe"), ("uk", "Українська"), ("ur", "اردو"), ("vi", "Tiếng Việt"), ("yo", "Yorùbá"),
    ("yue", "粵語"), ("zh-Hans", "简体中文"), ("zh-Hant", "繁體中文"), ("zu", "isiZulu"),
)  # fmt: skip
NOT_SAID = ("", gettext_lazy("Prefer not to say"))
AGES = ("18–24", "25–34", "35–44", "45–54", "55–64", "65+")
EDUCATION = (
    ("none", gettext_lazy("No school certificate")),
    ("school", gettext_lazy("School")),
    ("vocational", gettext_lazy("Vocational training")),
    ("bachelor", gettext_lazy("Bachelor’s degree or alike")),
    ("master", gettext_lazy("Master’s degree or alike")),
    ("doctorate", gettext_lazy("Doctorate")),
)


class LanguagesForm(forms.Form):
    languages = forms.MultipleChoiceField(
        required=False, choices=LANGUAGES, widget=forms.CheckboxSelectMultiple,
        label=gettext_lazy("Languages you read fluently"),
    )  # fmt: skip


class DemographicsForm(forms.Form):
    age = forms.ChoiceField(
        required=False, choices=[NOT_SAID, *((age, age) for age in AGES)], label=gettext_lazy("Age")
    )
    gender = forms.CharField(
        required=False, max_length=LONGEST_ANSWER, label=gettext_lazy("Gender"),
        help_text=gettext_lazy("In your own words. Empty: prefer not to say."),
    )  # fmt: skip
    region = forms.CharField(
        required=False, max_length=LONGEST_ANSWER, label=gettext_lazy("Country or region"),
        help_text=gettext_lazy("Where you live. Empty: prefer not to say."),
    )  # fmt: skip
    education = forms.ChoiceField(required=False, choices=[NOT_SAID, *EDUCATION], label=gettext_lazy("Education"))
    first_language = forms.ChoiceField(
        required=False, choices=[NOT_SAID, *LANGUAGES], label=gettext_lazy("First language")
    )
    consent = forms.BooleanField(
        required=False, label=gettext_lazy("I agree that these answers are kept and used as described above."),
        help_text=gettext_lazy("Take the tick away and save, and all of it is deleted at once."),
    )  # fmt: skip


@require_http_methods(["GET", "HEAD", "POST"])
def profile(request: PersonRequest) -> HttpResponse:
    """Two forms: `do` is languages or demographics."""
    if request.method != "POST":
        return _page(request)
    if request.POST.get("do") == "languages":
        form = LanguagesForm(request.POST)
        if form.is_valid():
            change_languages(user=request.user, languages=form.cleaned_data["languages"])
            messages.success(request, _("Saved. Queues in your languages come first on your home page."))
            return redirect("profile")
        return _page(request, languages_form=form)
    return _keep_demographics(request)


def _keep_demographics(request: PersonRequest) -> HttpResponse:
    form = DemographicsForm(request.POST)
    if form.is_valid():
        answers = {name: form.cleaned_data[name] for name in DEMOGRAPHICS}
        try:
            kept = change_demographics(user=request.user, answers=answers, consent=form.cleaned_data["consent"])
        except Refused as refused:
            add_refusal(form, refused)
        else:
            said = _("Saved.") if kept.demographics_consent_at else _("Nothing of this is kept about you.")
            messages.success(request, said)
            return redirect("profile")
    return _page(request, demographics_form=form)


def _page(request: PersonRequest, **forms_sent: Any) -> HttpResponse:
    mine = RaterProfile.objects.filter(user=request.user).first() or RaterProfile()
    told = mine.demographics | {"consent": mine.demographics_consent_at is not None}
    context = {
        "languages_form": LanguagesForm(initial={"languages": mine.languages}),
        "demographics_form": DemographicsForm(initial=told),
    } | forms_sent
    return render(request, "labeling/profile.html", context, status=422 if forms_sent else 200)

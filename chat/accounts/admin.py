"""People and invitations in Django admin.

An administrator lets people in and switches accounts off, but neither reads what others wrote nor becomes them:
no passwords, mail addresses or sign-in links of existing people can be set here, and no list names their chats.
"""

from datetime import timedelta
from typing import Any

from allauth.account import admin as allauth_admin
from allauth.account.models import EmailAddress
from allauth.mfa import admin as mfa_admin
from allauth.mfa.models import Authenticator
from allauth.socialaccount import admin as social_admin
from allauth.socialaccount.models import SocialAccount, SocialApp, SocialToken
from django.contrib import admin, messages
from django.contrib.auth.admin import GroupAdmin, UserAdmin
from django.contrib.auth.forms import AdminUserCreationForm
from django.contrib.auth.models import Group
from django.core.exceptions import PermissionDenied
from django.db.models import QuerySet
from django.forms import ModelForm
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import path
from django.utils import timezone
from django.utils.cache import add_never_cache_headers

from chat.accounts.actions import create_signin_link, disable_user, invite_many, issue
from chat.accounts.invitation_forms import ManyInvitationsForm, groups_for
from chat.accounts.links import INVITATION_LIFETIME, invitation_address, signin_address
from chat.accounts.models import Invitation, User
from chat.administration.recorded import RecordedAdmin, person
from chat.offboarding.actions import Belongings, offboard

# With these pages one could give another person's account a mail address and have its password reset, or take its
# second factor away.
assert allauth_admin.EmailAddressAdmin and mfa_admin.AuthenticatorAdmin and social_admin.SocialAccountAdmin
admin.site.unregister((EmailAddress, Authenticator))
admin.site.unregister((SocialAccount, SocialApp, SocialToken))
admin.site.unregister(Group)

PRIVILEGES = ("is_superuser", "user_permissions")


class NewPersonForm(AdminUserCreationForm[User]):
    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["usable_password"].help_text = "If disabled, you get a one-time link to pass on instead."


@admin.register(User)
class PersonAdmin(RecordedAdmin, UserAdmin[User]):
    """Accounts without what their owners wrote: no system prompts, no parameters, no chats."""

    fieldsets = (
        (None, {"fields": ("username", "first_name", "last_name", "email")}),
        ("What they may do", {"fields": ("is_active", "is_staff", "is_superuser", "groups", "user_permissions")}),
        ("When", {"fields": ("last_login", "date_joined")}),
    )
    readonly_fields = ("last_login", "date_joined")
    add_form = NewPersonForm
    list_display = ("username", "email", "is_active", "is_staff", "last_login")
    actions = ("switch_off",)

    def get_readonly_fields(self, request: HttpRequest, obj: User | None = None) -> tuple[str, ...]:
        fields = tuple(super().get_readonly_fields(request, obj))
        if obj is not None:
            fields += ("username", "email")
        return fields if request.user.is_superuser else fields + PRIVILEGES

    def has_change_permission(self, request: HttpRequest, obj: User | None = None) -> bool:
        """Staff may not change administrators: they would take them over or lock them out."""
        return super().has_change_permission(request, obj) and _reaches(request, obj)

    def has_delete_permission(self, request: HttpRequest, obj: User | None = None) -> bool:
        return super().has_delete_permission(request, obj) and _reaches(request, obj)

    def user_change_password(self, request: HttpRequest, id: str, form_url: str = "") -> HttpResponse:
        """Refuse: whoever sets another's password can read their chats. People change their own in the settings."""
        raise PermissionDenied

    def save_model(self, request: HttpRequest, obj: User, form: ModelForm[User], change: bool) -> None:
        super().save_model(request, obj, form, change)
        if not change and not obj.has_usable_password():
            _, token = create_signin_link(obj, INVITATION_LIFETIME)
            text = f"Give {obj} this link, shown only now. It signs in once, within 7 days: {signin_address(token)}"
            messages.warning(request, text)

    @admin.action(description="Switch the selected accounts off", permissions=["change"])
    def switch_off(self, request: HttpRequest, queryset: QuerySet[User]) -> None:
        reached = [user for user in queryset.filter(is_active=True) if _reaches(request, user) and user != request.user]
        for user in reached:
            disable_user(user, by=person(request))
        self.message_user(request, f"Switched off: {', '.join(map(str, reached)) or 'nobody'}. Their sessions ended.")

    def get_urls(self) -> list[Any]:
        page = path("<int:object_id>/offboard/", self.admin_site.admin_view(self.offboard), name="chat_user_offboard")
        return [page, *super().get_urls()]

    def offboard(self, request: HttpRequest, object_id: int) -> HttpResponse:
        """Say what will end, then end it."""
        leaving = get_object_or_404(User, pk=object_id)
        if leaving == request.user or not self.has_change_permission(request, leaving):
            raise PermissionDenied
        if request.method == "POST":
            offboard(leaving, by=person(request))
            messages.success(request, f"{leaving} is offboarded: signed out everywhere, without keys and rights.")
            return redirect("admin:chat_user_change", leaving.pk)
        context = {"title": f"Offboard {leaving}", "person": leaving, "theirs": Belongings.of(leaving)}
        return render(request, "admin/chat/user/offboard.html", {**self.admin_site.each_context(request), **context})

    def get_deleted_objects(
        self, objs: Any, request: HttpRequest
    ) -> tuple[list[Any], dict[str, int], set[str], list[Any]]:
        """Name the people only. Django would list every chat and message that goes with them, by its text."""
        people = list(objs)
        unreachable = {"administrator" for person in people if not _reaches(request, person)}
        return [f"{person} with all chats and keys" for person in people], {"people": len(people)}, unreachable, []


@admin.register(Group)
class RecordedGroupAdmin(RecordedAdmin, GroupAdmin):
    """Groups as Django has them; what they may do is recorded."""


@admin.register(Invitation)
class InvitationAdmin(RecordedAdmin):
    """Links that let new people make an account; a link is shown once, right after it was made."""

    fields = ("label", "places", "group", "expires_at")
    list_display = ("__str__", "group", "created_by", "created_at", "expires_at", "state")
    list_filter = ("group", "created_at")
    list_select_related = ("created_by", "used_by", "group")

    def formfield_for_foreignkey(self, db_field: Any, request: HttpRequest, **kwargs: Any) -> Any:
        if db_field.name == "group" and isinstance(request.user, User):
            kwargs["queryset"] = groups_for(request.user)
        return super().formfield_for_foreignkey(db_field, request, **kwargs)

    def get_urls(self) -> list[Any]:
        many = path("many/", self.admin_site.admin_view(self.invite_many), name="chat_invitation_many")
        return [many, *super().get_urls()]

    def invite_many(self, request: HttpRequest) -> HttpResponse:
        """A link for each line of a pasted list; the links are on the page that answers, and nowhere else."""
        by = person(request)
        if by is None or not self.has_add_permission(request):
            raise PermissionDenied
        form = ManyInvitationsForm(by, request.POST or None)
        invited = []
        if form.is_valid():
            wanted = form.cleaned_data
            made = invite_many(by, wanted["people"], timedelta(days=wanted["days"]), wanted["group"])
            invited = [(invitation.label, invitation_address(token)) for invitation, token in made]
        context = {**self.admin_site.each_context(request), "title": "Invite many", "form": form, "invited": invited}
        response = render(request, "admin/chat/invitation/many.html", {**context, "opts": self.opts})
        add_never_cache_headers(response)
        return response

    def get_changeform_initial_data(self, request: HttpRequest) -> dict[str, Any]:
        return {"expires_at": timezone.now() + INVITATION_LIFETIME, **super().get_changeform_initial_data(request)}

    def save_model(self, request: HttpRequest, obj: Invitation, form: ModelForm[Invitation], change: bool) -> None:
        if change:
            super().save_model(request, obj, form, change)
            return
        obj.created_by = request.user if isinstance(request.user, User) else None
        address = invitation_address(issue(obj))
        works = "works once" if obj.places == 1 else f"works for {obj.places} people"
        messages.warning(request, f"Pass this link on; it is shown only now and {works}: {address}")

    @admin.display(description="state")
    def state(self, invitation: Invitation) -> str:
        if invitation.places > 1:
            end = "" if invitation.usable() or invitation.used_at else ", expired"
            return f"{invitation.taken} of {invitation.places} places taken{end}"
        if invitation.used_at:
            return f"used by {invitation.used_by or 'an account since deleted'}"
        return "open" if invitation.usable() else "expired"


def _reaches(request: HttpRequest, user: User | None) -> bool:
    return user is None or request.user.is_superuser or not user.is_superuser

"""The URL map of the whole site: the product, accounts and the admin pages."""

from allauth.account.decorators import secure_admin_login
from django.contrib import admin
from django.urls import include, path
from django.views.generic import RedirectView

from chat.health import healthz, readyz
from chat.scrape import scrape

# The admin's own forms for passwords know no throttling; this sends people to those that do.
admin.site.login = secure_admin_login(admin.site.login)  # type: ignore[method-assign]
change_password = RedirectView.as_view(pattern_name="account_change_password")
admin.site.password_change = change_password  # type: ignore[assignment, method-assign]
admin.site.site_header = admin.site.site_title = "Playground administration"

urlpatterns = [
    path("", include("chat.urls")),
    path("accounts/", include("allauth.urls")),
    path("admin/", admin.site.urls),
    path("healthz", healthz),
    path("readyz", readyz),
    path("metrics", scrape),
]

"""The URLs of chats. A verb's URL names the row it is about; the socket knows the same verbs by the same names."""

from django.urls import path

from chat.conversations import lane_views, list_views, message_views, views
from chat.conversations.verb_views import act

urlpatterns = [
    path("", views.new_chat, name="new_chat"),
    path("reset/", views.reset_draft, name="reset_draft"),
    path("search/", list_views.search_chats, name="search_chats"),
    path("c/<uuid:conversation_id>/", views.conversation, name="conversation"),
    path("c/<uuid:conversation_id>/news/", views.fragment, name="fragment"),
    path("c/<uuid:conversation_id>/earlier/", views.earlier, name="earlier"),
    path("c/<uuid:conversation_id>/rename/", list_views.rename_chat, name="rename_chat"),
    path("c/<uuid:conversation_id>/menu/", list_views.chat_menu, name="chat_menu"),
    path("c/<uuid:conversation_id>/pin/", list_views.pin_chat, name="pin_chat"),
    path("c/<uuid:conversation_id>/delete/", list_views.delete_chat, name="delete_chat"),
    path("c/<uuid:conversation_id>/restore/", list_views.restore_chat, name="restore_chat"),
    path("c/<uuid:conversation_id>/draft/", list_views.save_draft, name="save_draft"),
    path("c/<uuid:conversation_id>/send/", act, {"action": "send"}, name="send_message"),
    path("c/<uuid:conversation_id>/stop/", act, {"action": "stop_all"}, name="stop_all"),
    path("c/<uuid:conversation_id>/add/", lane_views.add_lane, name="add_lane"),
    path("lanes/<int:lane>/model/", lane_views.change_model, name="change_model"),
    path("lanes/<int:lane>/parameters/", lane_views.lane_parameters, name="lane_parameters"),
    path("lanes/<int:lane>/parameters/reset/", lane_views.reset_parameters, name="reset_parameters"),
    path("lanes/<int:lane>/parameters/apply/", lane_views.apply_to_all, name="apply_to_all"),
    path("lanes/<int:lane>/parameters/from/<int:other>/", lane_views.copy_parameters, name="copy_parameters"),
    path("lanes/<int:lane>/system/", act, {"action": "set_system_prompt"}, name="set_system_prompt"),
    path("lanes/<int:lane>/duplicate/", act, {"action": "duplicate_lane"}, name="duplicate_lane"),
    path("lanes/<int:lane>/move/<str:direction>/", act, {"action": "move_lane"}, name="move_lane"),
    path("lanes/<int:lane>/remove/", act, {"action": "remove_lane"}, name="remove_lane"),
    path("lanes/<int:lane>/restore/", act, {"action": "restore_lane"}, name="restore_lane"),
    path("lanes/<int:lane>/ask/<int:row>/", act, {"action": "ask_now"}, name="ask_now"),
    path("runs/<int:run>/stop/", act, {"action": "stop"}, name="stop_run"),
    path("messages/<int:message>/", message_views.show_message, name="show_message"),
    path("messages/<int:message>/text/", message_views.message_text, name="message_text"),
    path("messages/<int:message>/menu/<str:which>/", message_views.message_menu, name="message_menu"),
    path("messages/<int:message>/edit/", message_views.edit_message, name="edit_message"),
    path("messages/<int:message>/with/", lane_views.regenerate_with, name="regenerate_with"),
    path("messages/<int:message>/regenerate/", act, {"action": "regenerate"}, name="regenerate"),
    path("messages/<int:message>/continue/", act, {"action": "continue_answer"}, name="continue_answer"),
    path("messages/<int:message>/raise-limit/", act, {"action": "raise_limit"}, name="raise_limit"),
    path("messages/<int:message>/without/", act, {"action": "drop_parameter"}, name="drop_parameter"),
    path("messages/<int:message>/select/", act, {"action": "select_message"}, name="select_message"),
    path("messages/<int:message>/delete/", act, {"action": "delete_message"}, name="delete_message"),
    path("messages/<int:message>/restore/", act, {"action": "restore_message"}, name="restore_message"),
    path("messages/<int:message>/take-back/", act, {"action": "take_back"}, name="take_back"),
]

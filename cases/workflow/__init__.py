"""The verbs: everything that changes a case. Views, tasks, commands and the portal call these."""

"""Letters and mails: composed from templates, kept sealed, sent by a job or printed."""

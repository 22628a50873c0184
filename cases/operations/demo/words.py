"""What the customers and the staff of the demonstration say, in the languages of the two brands."""

from collections.abc import Mapping, Sequence

from cases.words import Right

SAID: Mapping[str, Mapping[str, Sequence[str]]] = {
    "meridian": {
        Right.ACCESS: [
            "I want to see everything you have on me. All of it, the calls too.",
            "My solicitor says I can ask you for a copy of my file. So I'm asking.",
            "Why do I keep getting other people's readings? Send me what you hold about me.",
        ],
        Right.ERASURE: [
            "I left you two years ago. Delete my account and everything in it.",
            "Please take me out of your systems completely.",
        ],
        Right.RECTIFICATION: ["You have my name spelled wrong on every bill, please put it right."],
        Right.OBJECTION: ["Stop sending me offers. No more e-mails, no more post."],
        Right.RESTRICTION: ["While we argue about that bill, don't pass my data on to anybody."],
        Right.PORTABILITY: ["I'm switching. I want my usage in a file that my new supplier can read."],
        Right.AUTOMATED: ["A computer refused my payment plan. I want a person to look at it."],
        "message": [
            "Any news? It has been two weeks.",
            "I found my account number, it is on the old bill too.",
        ],
        "complaint": ["You took six weeks and left half of it out. I want to complain."],
        "question": ["Which years are you most interested in, and is it about the bills or the calls?"],
        "answer": ["The last three years please, and the calls from spring."],
        "more time": [
            "Your records lie in four archives, and the calls of nine years have to be listened to."
        ],
        "greeting": ["Hello, my meter display is blank since yesterday."],
    },
    "nordlicht": {
        Right.ACCESS: [
            "Ich möchte wissen, was Sie alles über mich gespeichert haben.",
            "Bitte schicken Sie mir eine Kopie aller meiner Daten nach Artikel 15.",
            "Woher haben Sie eigentlich meine neue Adresse? Ich will das schriftlich.",
        ],
        Right.ERASURE: [
            "Ich habe gekündigt. Löschen Sie bitte alles, was Sie von mir haben.",
            "Meine Daten sollen weg, und zwar vollständig.",
        ],
        Right.RECTIFICATION: ["Mein Nachname ist seit der Hochzeit ein anderer, bitte ändern Sie das."],
        Right.OBJECTION: ["Ich will keine Werbung mehr, weder per Post noch per E-Mail."],
        Right.RESTRICTION: ["Solange die Rechnung strittig ist, geben Sie bitte nichts weiter."],
        Right.PORTABILITY: ["Ich wechsle den Anbieter und brauche meine Daten als Datei."],
        Right.AUTOMATED: ["Ihr System hat meinen Vertrag abgelehnt. Das soll sich ein Mensch ansehen."],
        "message": [
            "Gibt es schon etwas Neues?",
            "Ich habe meine Kundennummer gefunden, sie steht auf der Rechnung.",
        ],
        "complaint": ["Die Auskunft kam zu spät und war unvollständig. Ich beschwere mich."],
        "question": ["Welcher Zeitraum ist Ihnen wichtig, und geht es um Rechnungen oder um Verbindungen?"],
        "answer": ["Bitte die letzten zwei Jahre, und die Gespräche mit dem Service."],
        "more time": [
            "Ihre Daten liegen in vier Archiven, und die Gespräche aus neun Jahren müssen angehört werden."
        ],
        "greeting": ["Guten Tag, mein Datenvolumen ist schon wieder aufgebraucht."],
    },
}
CHAT_AGENT = {"meridian": "Maya Ellison", "nordlicht": "Silke Bruhn"}

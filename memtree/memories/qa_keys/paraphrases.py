"""Pairs of questions to measure with: the same asked otherwise, and what only looks alike.

Written for this purpose. The rules were tuned on the first two lists; the others
(`FRESH_...`) were written when the rules stood, and nothing was changed for their sake.
"""

from __future__ import annotations

_SAME = """
Where does Ana live?|In which city does Ana live?
Where does Ana live?|where does ana live
Where does Ana live?|Where is Ana living now?
Where does Ana live?|What is Ana's place of residence?
Where does Ana live?|Do you know where Ana lives?
Who is the manager of Project Falcon?|Who manages Project Falcon?
Who is the manager of Project Falcon?|What's the name of Project Falcon's manager?
Who is the manager of Project Falcon?|Who is Project Falcon's manager?
How often does the client retry?|How many times does the client retry?
When does the lease of the office end?|When does the office lease end?
When does the lease of the office end?|On what date does the office lease expire?
What is the default timeout of the gateway?|What's the gateway's default timeout?
What is the default timeout of the gateway?|Which timeout does the gateway have by default?
Why did we choose Postgres?|What was the reason for choosing Postgres?
Why did we choose Postgres?|Why was Postgres chosen?
How do I reset the router?|How can I reset the router?
How do I reset the router?|How to reset the router?
What is Tom allergic to?|Which allergy does Tom have?
What is the name of Ana's dog?|What is Ana's dog called?
What is the name of Ana's dog?|How is Ana's dog called?
Who wrote the onboarding guide?|By whom was the onboarding guide written?
Who wrote the onboarding guide?|Who is the author of the onboarding guide?
Who wrote the onboarding guide?|Who authored the onboarding guide?
When was the company founded?|In which year was the company founded?
When was the company founded?|When was the founding of the company?
Which port does the staging server listen on?|What port does the staging server use?
Which port does the staging server listen on?|On which port is the staging server listening?
What does Bo do for a living?|What is Bo's job?
What is Bo's job?|What is Bo's profession?
What is Bo's job?|What job does Bo have?
How old is Mia?|What is Mia's age?
When is Mia's birthday?|When was Mia born?
When is Mia's birthday?|On which day is Mia's birthday?
Who is responsible for billing?|Who is in charge of billing?
Where are the backups stored?|Where do we store the backups?
Where are the backups stored?|In which place are backups kept?
How long does a full backup take?|What is the duration of a full backup?
How long does a full backup take?|How long does a full backup last?
Does the API support pagination?|Is pagination supported by the API?
Does the API support pagination?|Does our API support pagination?
What is Ana's favourite dish?|What's Ana's favorite dish?
What is Ana's favourite dish?|Which dish does Ana like best?
Which car did Bo buy?|What car did Bo purchase?
Where did Ana and Tom meet?|Where did Tom and Ana meet?
Who fixed the login bug?|Who repaired the login bug?
What caused the outage in March?|What was the cause of the outage in March?
What caused the outage in March?|What was the reason for the March outage?
When do we deploy to production?|On what day do we deploy to production?
How much does the licence cost?|What is the price of the licence?
How much does the licence cost?|What does the licence cost?
Who is Ana's boss?|Who is Ana's supervisor?
What is the wifi password?|Whats the wifi password
What is the capital of Norway?|Which city is the capital of Norway?
How many people work at the Lisbon site?|What is the number of people working at the Lisbon site?
What instrument does Tom play?|Which instrument is Tom playing?
When did the migration to Kafka start?|When did the migration to Kafka begin?
When did the migration to Kafka start?|When did the Kafka migration start?
When did the migration to Kafka start?|when did the migraton to kafka start
Where was the offsite held?|At which location was the offsite held?
Which database does the billing service use?|What database is used by the billing service?
"""
_OTHER = """
Where does Ana live?|Where does Ana work?
Where does Ana live?|Where did Ana live?
Where does Ana live?|When does Ana live there?
Where does Ana live?|Where does Ana's brother live?
Where does Ana live?|Does Ana live in Oslo?
Where does Ana live?|Where does Anna Berg live?
Where does Ana's sister live?|Where does Ana's brother live?
Who is the manager of Project Falcon?|Who is the manager of Project Eagle?
Who is the manager of Project Falcon?|Who was the manager of Project Falcon?
Who is the manager of Project Falcon?|Who is the customer of Project Falcon?
How often does the client retry?|How often does the server retry?
How often does the client retry?|How long does the client wait before it retries?
When does the lease of the office end?|When does the lease of the office begin?
When does the lease of the office end?|Where is the office?
What is the default timeout of the gateway?|What is the maximum timeout of the gateway?
What is the default timeout of the gateway?|What is the default port of the gateway?
What is the timeout of the gateway in 2023?|What is the timeout of the gateway in 2024?
Why did we choose Postgres?|When did we choose Postgres?
Why did we choose Postgres?|Why did we not choose Postgres?
Why did we choose Postgres?|Who chose Postgres?
How do I reset the router?|How do I reset the modem?
How do I reset the router?|When should I reset the router?
How do I reset the router?|Why did the router reset?
What is Tom allergic to?|What is Ana allergic to?
What is the name of Ana's dog?|What is the name of Ana's cat?
What is the name of Ana's dog?|What is the breed of Ana's dog?
Who wrote the onboarding guide?|Who reviewed the onboarding guide?
Who wrote the onboarding guide?|When was the onboarding guide written?
When was the company founded?|When was the company sold?
When was the company founded?|Where was the company founded?
Which port does the staging server listen on?|Which port does the production server listen on?
What is Bo's job?|What was Bo's first job?
What is Bo's job?|What is Bo's dream job?
How old is Mia?|How tall is Mia?
When is Mia's birthday?|When is Mia's wedding?
Who is responsible for billing?|Who is responsible for shipping?
Where are the backups stored?|How long are the backups stored?
How long does a full backup take?|How long does an incremental backup take?
How long does a full backup take?|How large is a full backup?
Does the API support pagination?|Does the API support compression?
Does the API support pagination?|Why does the API support pagination?
What is Ana's favourite dish?|What is Ana's favourite drink?
Which car did Bo buy?|Which car did Bo sell?
Which car did Bo buy?|Which car did Bo rent?
Where did Ana and Tom meet?|Where did Ana and Bo meet?
Who beat Ana in the final?|Who did Ana beat in the final?
Did Ana call Tom?|Did Tom call Ana?
Who fixed the login bug?|Who found the login bug?
Who does Ana report to?|Who reports to Ana?
What caused the outage in March?|What caused the outage in April?
When do we deploy to production?|When do we deploy to staging?
How much does the licence cost?|How many licences are there?
Who is Ana's boss?|Who is Ana's husband?
What is the wifi password?|What is the guest wifi password?
What is the capital of Norway?|What is the capital of Sweden?
In which year did Ana move?|In which month did Ana move?
How many people work at the Lisbon site?|How many people work at the Porto site?
What instrument does Tom play?|What game does Tom play?
When did the migration to Kafka start?|When did the migration to Kafka end?
When did the migration from Kafka start?|When did the migration to Kafka start?
Where was the offsite held?|Where will the offsite be held?
Which database does the billing service use?|Which queue does the billing service use?
What does Ana do at work?|What does Ana have at work?
What does Ana do while she writes?|What does Ana write?
What did Ana learn before the exam?|What did Ana learn after the exam?
"""
_FRESH_SAME = """
Who runs the Hamburg warehouse?|Who operates the Hamburg warehouse?
What did the board decide about the merger?|What was decided by the board about the merger?
What did the board decide about the merger?|What did the board decide on the merger?
When does the passport of Lena expire?|When does Lena's passport expire?
When does the passport of Lena expire?|Can you tell me when Lena's passport expires?
Which airline did we fly with to Tokyo?|With which airline did we fly to Tokyo?
Which airline did we fly with to Tokyo?|What airline did we take to Tokyo?
Where is the spare key hidden?|Where did we hide the spare key?
Where is the spare key hidden?|Where's the spare key hidden?
How many seats does the Geneva room have?|How many seats are in the Geneva room?
How many seats does the Geneva room have?|How many seats are there in the Geneva room?
Why was the launch postponed?|Why did they postpone the launch?
Why was the launch postponed?|What's the reason the launch was postponed?
What is the retention period for access logs?|How long are access logs retained?
What is the retention period for access logs?|What's the access log retention period?
Who approved the travel budget?|By whom was the travel budget approved?
Who approved the travel budget?|The travel budget was approved by whom?
Is the parser thread-safe?|Is our parser thread-safe?
How do I rotate the signing key?|How can we rotate the signing keys?
How do I rotate the signing key?|What is the way to rotate the signing key?
What colour is Ravi's house?|Which colour is the house of Ravi?
What time does the pharmacy open?|When does the pharmacy open?
Who taught Nora the violin?|Who was Nora's violin teacher?
What does Ivan study in Delft?|What is Ivan studying in Delft?
Which branch is the hotfix on?|On which branch is the hotfix?
"""
_FRESH_OTHER = """
Who runs the Hamburg warehouse?|Who runs the Bremen warehouse?
Who runs the Hamburg warehouse?|Who cleans the Hamburg warehouse?
What did the board decide about the merger?|What did the board decide about the bonus?
What did the board decide about the merger?|When did the board decide about the merger?
When does the passport of Lena expire?|When does the visa of Lena expire?
When does the passport of Lena expire?|When was the passport of Lena issued?
Which airline did we fly with to Tokyo?|Which airline did we fly with from Tokyo?
Which airline did we fly with to Tokyo?|Which airline did we fly with to Kyoto?
Where is the spare key hidden?|Who has the spare key?
Where is the spare key hidden?|Where was the spare key hidden?
How many seats does the Geneva room have?|How many windows does the Geneva room have?
How many seats does the Geneva room have?|How many seats does the Zurich room have?
Why was the launch postponed?|Why was the launch cancelled?
Why was the launch postponed?|Who postponed the launch?
What is the retention period for access logs?|What is the retention period for error logs?
What is the retention period for access logs?|What is the format of access logs?
Who approved the travel budget?|Who exceeded the travel budget?
Who approved the travel budget?|Who approved the training budget?
Is the parser thread-safe?|Is the lexer thread-safe?
Is the parser thread-safe?|Is the parser not thread-safe?
How do I rotate the signing key?|How do I revoke the signing key?
How do I rotate the signing key?|How often do I rotate the signing key?
What colour is Ravi's house?|What colour is Ravi's car?
What time does the pharmacy open?|What time does the pharmacy close?
Who taught Nora the violin?|Who did Nora teach the violin?
Who taught Nora the violin?|Who taught Nora the cello?
What does Ivan study in Delft?|What does Ivan's wife study in Delft?
What does Ivan study in Delft?|Why does Ivan study in Delft?
Which branch is the hotfix on?|Which branch is the feature on?
Which branch is the hotfix on?|Which release is the hotfix in?
"""


def _pairs(text: str) -> tuple[tuple[str, str], ...]:
    found = []
    for line in text.strip().splitlines():
        one, _, other = line.partition("|")
        found.append((one, other))
    return tuple(found)


SAME = _pairs(_SAME)
"""(stored, asked): the answer to the one is the answer to the other."""
OTHER = _pairs(_OTHER)
"""(stored, asked): alike, and another question."""
FRESH_SAME = _pairs(_FRESH_SAME)
FRESH_OTHER = _pairs(_FRESH_OTHER)

-- One way to make a request happen once. A key's row is written by the transaction of the request's effect, with the reply or, where the reply needs the engine
-- to have read the entry, with the entry's position: so there is a row exactly where there was an effect.

DROP TABLE idempotency_key;

DELETE FROM remembered_reply WHERE reply IS NULL;  -- claimed before the effect, by requests whose outcome nobody learnt
ALTER TABLE remembered_reply
    ADD COLUMN position int8,                       -- of the control entry that is the effect; null where effect and reply are one transaction
    ADD CONSTRAINT took_effect CHECK (reply IS NOT NULL OR position IS NOT NULL);

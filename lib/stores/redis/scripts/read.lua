-- The record of a grant.
--
-- KEYS   1: the grant
-- ARGV   none
-- Reply  {'found', <time>, <field> ...} or {'none'}
if not grant then return {'none'} end
return answer('found')

-- SPDX-License-Identifier: Apache-2.0
-- Joins other views of the CMID tables with those of the pool, in one atomic call: the rule of CmidTable.merge (kms/counting/table.ts), held to it by the store
-- contract. KEYS: meta, then a table for each application. ARGV[1]: for each application 4 bytes N, 2 entries, each 16 CMID, 8 time, as redis-merge.ts writes
-- them. Answers the sizes. Counts nobody: totals, events and inventory are record.lua's.
local META = KEYS[1]
local APPLICATIONS = #KEYS - 1
local SCHEMA = '1'
local CMID_RETENTION_MS = 2592000000 -- 30 days, S3-11
-- Places in the state, as in record.lua.
local VERSION, HIGH_WATER = 1, 12
local STATE_FORMAT = '<' .. string.rep('d', HIGH_WATER - 1 + APPLICATIONS)

local meta = redis.call('HMGET', META, 'schema', 'state')
if meta[1] and meta[1] ~= SCHEMA then
  return redis.error_reply('KMSPOOLSCHEMA the keys of this pool were written in schema ' .. meta[1])
end
redis.call('HSET', META, 'schema', SCHEMA)
local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)

local state = {}
if meta[2] then
  state = { struct.unpack(STATE_FORMAT, meta[2]) }
else
  for i = 1, HIGH_WATER - 1 + APPLICATIONS do state[i] = 0 end
end

local packed, position, sizes = ARGV[1], 1, {}
for application = 0, APPLICATIONS - 1 do
  local key, mark = KEYS[2 + application], HIGH_WATER + application
  local latest = redis.call('ZRANGE', key, -1, -1, 'WITHSCORES')[2]
  local table_at = math.max(now, tonumber(latest or 0))
  local required, entries = struct.unpack('<IH', packed, position)
  position = position + 6
  state[mark] = math.max(state[mark], required)
  for _ = 1, entries do
    local cmid, at = string.sub(packed, position, position + 15), struct.unpack('<d', packed, position + 16)
    redis.call('ZADD', key, 'GT', math.min(at, table_at), cmid)
    position = position + 24
  end
  redis.call('ZREMRANGEBYSCORE', key, '-inf', table_at - CMID_RETENTION_MS)
  local cap = state[mark] == 0 and 1 or 2 * state[mark]
  redis.call('ZREMRANGEBYRANK', key, 0, -cap - 1)
  sizes[#sizes + 1] = redis.call('ZCARD', key)
end
-- The hosts' copies are of an older membership now.
state[VERSION] = state[VERSION] + 1
redis.call('HSET', META, 'state', struct.pack(STATE_FORMAT, unpack(state)))
return sizes

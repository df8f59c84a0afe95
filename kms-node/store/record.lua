-- SPDX-License-Identifier: Apache-2.0
-- Counts a batch of contacts, in one atomic call (docs/protocol.md §4; docs/redis.md). The rules are those of kms/counting/table.ts, and the store contract
-- compares the two. Bytes of the arguments and of the answer: script-call.ts; bytes of a contact: contact-record.ts.
--
-- Exact once: every host process (incarnation) numbers its contacts, and the highest number counted is kept. A contact with a number up to it is
-- answered but not counted again. If contacts before these are missing, nothing is counted and the answer is a gap: the host sends them first.
--
-- All keys are named in KEYS, so that a cluster that moves the slot answers TRYAGAIN instead of running on half of them.
local META, INCARNATIONS, CLIENTS, CLIENT_TIMES = KEYS[1], KEYS[2], KEYS[3], KEYS[4]
local NAMES, NAME_TIMES, EVENTS, FIRST_TABLE = KEYS[5], KEYS[6], KEYS[7], 8
local APPLICATIONS = #KEYS - FIRST_TABLE + 1

local SCHEMA = '1'
local CMID_RETENTION_MS = 2592000000 -- 30 days, S3-11
local CLIENT_BUCKET_MS = 600000 -- how exact the order of the inventory is kept
local MAX_NAMES, MAX_NAME_GROUPS = 16, 1000
local INCARNATION_RETENTION_MS, MAX_INCARNATIONS, INCARNATION_TOUCH_MS = 604800000, 1000, 60000
local COUNTED, REFUSED = 1, 2
-- Places in the state: membership version, total, failed, 8 by license status, then a high-water mark per application.
local VERSION, TOTAL, FAILED, STATUS, HIGH_WATER = 1, 2, 3, 4, 12
local STATE_FORMAT = '<' .. string.rep('d', HIGH_WATER - 1 + APPLICATIONS)

local incarnation = string.sub(ARGV[1], 1, 16)
local flags, previous, max_required, keep_clients, keep_events, copy_version = struct.unpack('<BdIIId', ARGV[1], 17)
local replay, force = flags % 2 >= 1, flags % 4 >= 2
local sync, want_tables = flags % 8 >= 4, flags % 16 >= 8

local meta = redis.call('HMGET', META, 'schema', 'state')
if meta[1] and meta[1] ~= SCHEMA then
  return redis.error_reply('KMSPOOLSCHEMA the keys of this pool were written in schema ' .. meta[1])
end
-- The first write is one that a full server denies (OOM): it then denies the whole call, not some of its commands.
redis.call('HSET', META, 'schema', SCHEMA)
local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)

local state = {}
if meta[2] then
  state = { struct.unpack(STATE_FORMAT, meta[2]) }
else
  for i = 1, HIGH_WATER - 1 + APPLICATIONS do state[i] = 0 end
end
local dirty = false

local function changed()
  state[VERSION] = state[VERSION] + 1
  dirty = true
end

-- The table of an application, expired to now. Its own time never runs backwards, although another master's clock may.
local opened = {}
local function open(application)
  local tbl = opened[application]
  if tbl then return tbl end
  local key = KEYS[FIRST_TABLE + application]
  local latest = redis.call('ZRANGE', key, -1, -1, 'WITHSCORES')[2]
  local at = math.max(now, tonumber(latest or 0))
  if redis.call('ZREMRANGEBYSCORE', key, '-inf', at - CMID_RETENTION_MS) > 0 then changed() end
  tbl = { key = key, at = at, size = redis.call('ZCARD', key) }
  opened[application] = tbl
  return tbl
end

-- Records one contact in its table and answers the count that includes it.
local function count(tbl, application, cmid, at, required)
  local mark = HIGH_WATER + application
  local wanted = math.min(required, max_required)
  if wanted > state[mark] then
    state[mark] = wanted
    changed()
  end
  if at <= tbl.at - CMID_RETENTION_MS then return tbl.size end
  if redis.call('ZADD', tbl.key, 'GT', at, cmid) == 1 then
    tbl.size = tbl.size + 1
    local cap = state[mark] == 0 and 1 or 2 * state[mark]
    if tbl.size > cap then
      redis.call('ZREMRANGEBYRANK', tbl.key, 0, tbl.size - cap - 1)
      tbl.size = cap
    end
    changed()
  end
  return tbl.size
end

-- `group` (latest first) with one more name, given as the tail of a contact: name, address.
local function with_name(group, at, tail)
  local name = string.sub(tail, 1, 1 + string.byte(tail, 1))
  local result = {}
  if at > now - CMID_RETENTION_MS then result[1] = { at = at, name = name, tail = tail } end
  for _, known in ipairs(group) do
    if #result < MAX_NAMES and known.name ~= name and known.at > now - CMID_RETENTION_MS then
      result[#result + 1] = known
    end
  end
  return result
end

local function read_names(packed)
  local group, position = {}, 1
  while position < #packed do
    local at = struct.unpack('<d', packed, position)
    local name_end = position + 8 + string.byte(packed, position + 8)
    local tail_end = name_end + 1 + string.byte(packed, name_end + 1)
    local name = string.sub(packed, position + 8, name_end)
    group[#group + 1] = { at = at, name = name, tail = string.sub(packed, position + 8, tail_end) }
    position = tail_end + 1
  end
  return group
end

-- Drops the `excess` oldest members of `times` and what `hash` keeps of them.
local function drop_oldest(hash, times, excess)
  local oldest = redis.call('ZRANGE', times, 0, excess - 1)
  if #oldest == 0 then return end
  redis.call('HDEL', hash, unpack(oldest))
  redis.call('ZREMRANGEBYRANK', times, 0, excess - 1)
end

-- Two contacts of one CMID came with different names (S1-17). The score is the time of the second latest name: with it the group ends.
local function note_names(field, before, before_at, record, at)
  local packed = redis.call('HGET', NAMES, field)
  local group = with_name(packed and read_names(packed) or {}, before_at, string.sub(before, 101))
  group = with_name(group, at, string.sub(record, 101))
  if #group < 2 then return end
  local parts = {}
  for i, known in ipairs(group) do parts[i] = struct.pack('<d', known.at) .. known.tail end
  redis.call('HSET', NAMES, field, table.concat(parts))
  redis.call('ZADD', NAME_TIMES, group[2].at, field)
  local excess = redis.call('ZCARD', NAME_TIMES) - MAX_NAME_GROUPS
  if excess > 0 then drop_oldest(NAMES, NAME_TIMES, excess) end
end

-- Keeps the latest contact of every client. The sorted set that orders them is written only when a client's ten minutes are over, so that
-- the cost does not grow with the inventory.
local function remember(application, cmid, at, record)
  local field = string.char(application) .. cmid
  local before = redis.call('HGET', CLIENTS, field)
  if not before then
    redis.call('HSET', CLIENTS, field, record)
    redis.call('ZADD', CLIENT_TIMES, at, field)
    local excess = redis.call('HLEN', CLIENTS) - keep_clients
    if excess > 0 then drop_oldest(CLIENTS, CLIENT_TIMES, math.min(excess, 100)) end
    return
  end
  local before_at = struct.unpack('<d', before, 13)
  if replay and at < before_at then return end
  redis.call('HSET', CLIENTS, field, record)
  if math.floor(before_at / CLIENT_BUCKET_MS) ~= math.floor(at / CLIENT_BUCKET_MS) then
    redis.call('ZADD', CLIENT_TIMES, at, field)
  end
  local name_end = 101 + string.byte(before, 101)
  if string.sub(before, 101, name_end) ~= string.sub(record, 101, 101 + string.byte(record, 101)) then
    note_names(field, before, before_at, record, at)
  end
end

-- Forgets processes of long ago, when a new one comes.
local function prune_incarnations()
  local all, kept = redis.call('HGETALL', INCARNATIONS), {}
  for i = 1, #all, 2 do
    local _, seen = struct.unpack('<dd', all[i + 1])
    if seen < now - INCARNATION_RETENTION_MS then
      redis.call('HDEL', INCARNATIONS, all[i])
    else
      kept[#kept + 1] = { id = all[i], seen = seen }
    end
  end
  table.sort(kept, function(a, b) return a.seen < b.seen end)
  for i = 1, #kept - MAX_INCARNATIONS + 1 do redis.call('HDEL', INCARNATIONS, kept[i].id) end
end

-- Counts what is not yet counted of `records`; answers the counts as bytes.
local function count_records(records, highest)
  local counts, position, expected = {}, 1, previous
  while position <= #records do
    local length, kind, application, sequence, at, _, required, status = struct.unpack('<HBBddIIB', records, position)
    expected = expected + 1
    if sequence ~= expected then return nil end
    local answer = 0
    if kind == COUNTED and application < APPLICATIONS then
      local tbl = open(application)
      answer = tbl.size
      if sequence > highest then
        local cmid = string.sub(records, position + 84, position + 99)
        local record = string.sub(records, position, position + length - 1)
        local own_at = math.min(at, tbl.at)
        answer = count(tbl, application, cmid, replay and own_at or tbl.at, required)
        if keep_clients > 0 then remember(application, cmid, own_at, record) end
      end
    end
    if sequence > highest and kind ~= 0 then
      state[TOTAL] = state[TOTAL] + 1
      if kind == REFUSED then state[FAILED] = state[FAILED] + 1 end
      status = STATUS + math.min(status, 7)
      state[status] = state[status] + 1
      dirty = true
      if keep_events > 0 then
        redis.call('XADD', EVENTS, 'MAXLEN', '~', keep_events, '*', 'r', string.sub(records, position, position + length - 1))
      end
    end
    counts[#counts + 1] = string.char(answer % 256, math.floor(answer / 256))
    position = position + length
  end
  return table.concat(counts), expected
end

-- Bounds that no contact enforces: expiry on an idle pool, retention that was lowered.
local function tidy()
  for application = 0, APPLICATIONS - 1 do open(application) end
  local over = redis.call('ZRANGEBYSCORE', NAME_TIMES, '-inf', now - CMID_RETENTION_MS, 'LIMIT', 0, 100)
  if #over > 0 then drop_oldest(NAMES, NAME_TIMES, #over) end
  local excess = redis.call('HLEN', CLIENTS) - keep_clients
  if excess > 0 then drop_oldest(CLIENTS, CLIENT_TIMES, math.min(excess, 1000)) end
  redis.call('XTRIM', EVENTS, 'MAXLEN', '~', keep_events)
end

local function sync_part()
  local parts = {}
  for i = TOTAL, HIGH_WATER - 1 do parts[#parts + 1] = struct.pack('<d', state[i]) end
  parts[#parts + 1] = struct.pack('<dd', redis.call('HLEN', CLIENTS), redis.call('ZCARD', NAME_TIMES))
  if not want_tables and state[VERSION] == copy_version then return table.concat(parts) .. '\0' end
  parts[#parts + 1] = '\1'
  for application = 0, APPLICATIONS - 1 do
    local entries = redis.call('ZRANGE', KEYS[FIRST_TABLE + application], 0, -1, 'WITHSCORES')
    parts[#parts + 1] = struct.pack('<IH', state[HIGH_WATER + application], #entries / 2)
    for i = 1, #entries, 2 do parts[#parts + 1] = entries[i] .. struct.pack('<d', tonumber(entries[i + 1])) end
  end
  return table.concat(parts)
end

local known = redis.call('HGET', INCARNATIONS, incarnation)
local highest, seen = 0, now
if known then highest, seen = struct.unpack('<dd', known) end

local gap = previous > highest and not force
local counts = ''
if not gap then
  local last
  counts, last = count_records(ARGV[2], highest)
  if not counts then return redis.error_reply('KMSPOOLBATCH the contacts of a call must stand in order of their sequence numbers') end
  if last > highest or now - seen > INCARNATION_TOUCH_MS then
    if not known then prune_incarnations() end
    highest = math.max(highest, last)
    redis.call('HSET', INCARNATIONS, incarnation, struct.pack('<dd', highest, now))
  end
end
if sync then tidy() end
if dirty then
  redis.call('HSET', META, 'state', struct.pack(STATE_FORMAT, unpack(state)))
end
local head = struct.pack('<Bddd', gap and 1 or 0, now, highest, state[VERSION])
return head .. counts .. (sync and sync_part() or '')

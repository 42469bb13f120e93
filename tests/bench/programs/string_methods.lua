-- The library of strings: fields by gmatch, replacement by gsub, search, upper case.
local format, match, gsub, gmatch, find, sub = string.format, string.match, string.gsub, string.gmatch, string.find, string.sub

local function split(text, separator)
  local parts, start = {}, 1
  while true do
    local from, to = find(text, separator, start, true)
    if not from then
      parts[#parts + 1] = sub(text, start)
      return parts
    end
    parts[#parts + 1] = sub(text, start, from - 1)
    start = to + 1
  end
end

local function last_of(text, c)
  return #match(text, ".*()" .. c) - 1
end

local function main(n)
  local s = 0
  for i = 0, n - 1 do
    local line = format("  name=%d; path=/usr/local/share/%d/doc; Flags=a,b,c,%d  ", i, i % 97, i * 7)
    line = match(line, "^%s*(.-)%s*$")
    for _, field in ipairs(split(line, "; ")) do
      local key, value = match(field, "^(.-)=(.*)$")
      if sub(key, 1, 2) == "pa" then
        s = s + #table.concat(split(value, "/"), ".")
      elseif find(value, "^%d+$") then
        s = s + tonumber(value) % 17
      else
        local _, commas = gsub(value, ",", ",")
        s = s + commas
      end
      s = s + #key:lower()
    end
    s = s + find(line, "doc", 1, true) - 1 + (match(line, ".*()/") - 1)
    s = s + #gsub(line, "/", "::"):upper()
  end
  return s
end

local n = tonumber(arg[1]) or 200000
print(string.format("%d", main(n)))

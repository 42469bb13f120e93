-- A text walked by character, by index and by code, with comparisons and a table of shifts.
local byte, sub, char, find = string.byte, string.sub, string.char, string.find

local function main(n)
  local text = string.rep("The quick brown fox jumps over the lazy dog; 0123456789.\n", 1000)
  local shift = {}
  for code = 97, 122 do shift[char(code)] = char((code - 97 + 13) % 26 + 97) end
  local s = 0
  for _ = 1, n do
    local vowels = 0
    for i = 1, #text do
      if find("aeiou", sub(text, i, i), 1, true) then vowels = vowels + 1 end
    end
    local h = 0
    for i = 1, #text, 2 do h = (h * 31 + byte(text, i)) % 1000003 end
    local words, inside = 0, false
    for i = 1, #text do
      local c = sub(text, i, i)
      if c == " " or c == "\n" then
        inside = false
      elseif not inside then
        inside = true
        words = words + 1
      end
    end
    local out = {}
    for i = 1, 20000 do
      local c = sub(text, i, i)
      out[i] = shift[c] or c
    end
    s = (s + vowels + h + words + #table.concat(out)) % 1000003
  end
  return s
end

local n = tonumber(arg[1]) or 80
print(string.format("%d", main(n)))

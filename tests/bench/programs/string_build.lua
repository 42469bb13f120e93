-- Text built by a buffer and table.concat (the idiom of Lua), by repetition and by slices.
local concat, sub, rep = table.concat, string.sub, string.rep

local function main(n)
  local letters, buffer = "abcdefghij", {}
  for i = 0, n - 1 do
    local k = i % 10 + 1
    buffer[i + 1] = sub(letters, k, k)
  end
  local text = concat(buffer)
  local parts = {}
  for i = 0, math.floor(n / 4) - 1 do parts[i + 1] = tostring(i) end
  local joined = concat(parts, "-")
  local s = #text + #joined
  local line = rep("=", 60)
  for i = 0, math.floor(n / 8) - 1 do
    local piece = sub(text, i + 1, i + 12) .. sub(line, 1, i % 7)
    s = s + #piece
    if sub(piece, 1, 1) == "c" then s = s + 1 end
  end
  return s
end

local n = tonumber(arg[1]) or 5000000
print(string.format("%d", main(n)))

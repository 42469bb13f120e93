-- A JSON parser by hand: a class over a text, recursive descent.
local sub, find, format = string.sub, string.find, string.format
local NULL = {}
local Parser = {}
Parser.__index = Parser

function Parser.new(text) return setmetatable({ text = text, at = 1 }, Parser) end

function Parser.space(self)
  local text = self.text
  while find(" \t\n", sub(text, self.at, self.at), 1, true) do self.at = self.at + 1 end
end

function Parser.value(self)
  self:space()
  local c = sub(self.text, self.at, self.at)
  if c == "{" then return self:object() end
  if c == "[" then return self:array() end
  if c == '"' then return self:string() end
  if c == "t" then return self:word("true", true) end
  if c == "f" then return self:word("false", false) end
  if c == "n" then return self:word("null", NULL) end
  return self:number()
end

function Parser.word(self, word, value)
  if sub(self.text, self.at, self.at + #word - 1) ~= word then error("bad word at " .. self.at) end
  self.at = self.at + #word
  return value
end

function Parser.object(self)
  local result = {}
  self.at = self.at + 1
  self:space()
  if sub(self.text, self.at, self.at) == "}" then
    self.at = self.at + 1
    return result
  end
  while true do
    self:space()
    local key = self:string()
    self:space()
    if sub(self.text, self.at, self.at) ~= ":" then error("colon expected at " .. self.at) end
    self.at = self.at + 1
    result[key] = self:value()
    self:space()
    local c = sub(self.text, self.at, self.at)
    self.at = self.at + 1
    if c == "}" then return result end
    if c ~= "," then error("comma expected at " .. self.at) end
  end
end

function Parser.array(self)
  local result, count = { is_array = true }, 0
  self.at = self.at + 1
  self:space()
  if sub(self.text, self.at, self.at) == "]" then
    self.at = self.at + 1
    return result
  end
  while true do
    count = count + 1
    result[count] = self:value()
    self:space()
    local c = sub(self.text, self.at, self.at)
    self.at = self.at + 1
    if c == "]" then return result end
    if c ~= "," then error("comma expected at " .. self.at) end
  end
end

function Parser.string(self)
  local text, at, out = self.text, self.at + 1, {}
  while true do
    local c = sub(text, at, at)
    at = at + 1
    if c == '"' then
      self.at = at
      return table.concat(out)
    end
    if c == "\\" then
      c = sub(text, at, at)
      at = at + 1
      if c == "n" then c = "\n" elseif c == "t" then c = "\t" end
    end
    out[#out + 1] = c
  end
end

function Parser.number(self)
  local text, start = self.text, self.at
  local at = start
  while find("+-0123456789.eE", sub(text, at, at), 1, true) do at = at + 1 end
  self.at = at
  return tonumber(sub(text, start, at - 1))
end

local function document(n)
  local parts = {}
  for i = 0, n - 1 do
    parts[i + 1] = format('{"id": %d, "name": "item \\"%d\\"\\n", "price": %d.25, "tags": ["a", "bc", "def"], '
      .. '"ok": %s, "next": null, "size": {"w": %d, "h": -%d}}',
      i, i, i % 100, i % 2 == 1 and "true" or "false", i * 3, i % 7)
  end
  return "[" .. table.concat(parts, ", ") .. "]"
end

local function measure(value)
  if value == NULL then return 1 end
  if type(value) == "boolean" then return 2 end
  if type(value) == "table" then
    local s = 0
    if value.is_array then
      s = #value
      for _, v in ipairs(value) do s = s + measure(v) end
    else
      for k, v in pairs(value) do s = s + #k + measure(v) end
    end
    return s
  end
  if type(value) == "string" then return #value end
  return value * 4
end

local function main(n)
  local text = document(100)
  local s = 0
  for _ = 1, n do s = (s * 3 + measure(Parser.new(text):value())) % 1000003 end
  return s, #text
end

local n = tonumber(arg[1]) or 250
print(string.format("%d %d", main(n)))

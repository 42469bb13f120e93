-- Spectral norm of an infinite matrix: floats in arrays, a call per element.
local function element(i, j)
  return 1.0 / ((i + j) * (i + j + 1) / 2 + i + 1)
end

local function times(v, n)
  local out = {}
  for i = 0, n - 1 do
    local s = 0.0
    for j = 0, n - 1 do s = s + element(i, j) * v[j + 1] end
    out[i + 1] = s
  end
  return out
end

local function times_transposed(v, n)
  local out = {}
  for i = 0, n - 1 do
    local s = 0.0
    for j = 0, n - 1 do s = s + element(j, i) * v[j + 1] end
    out[i + 1] = s
  end
  return out
end

local function main(n)
  local u = {}
  for i = 1, n do u[i] = 1.0 end
  local v
  for _ = 1, 10 do
    v = times_transposed(times(u, n), n)
    u = times_transposed(times(v, n), n)
  end
  local uv, vv = 0.0, 0.0
  for i = 1, n do
    uv = uv + u[i] * v[i]
    vv = vv + v[i] * v[i]
  end
  return math.sqrt(uv / vv)
end

local n = tonumber(arg[1]) or 350
print(string.format("%.9f", main(n)))

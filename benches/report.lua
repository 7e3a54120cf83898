-- The request of a workload (a body when WRK_BODY_FILE names one) and one line of JSON with the counts.
local file = os.getenv("WRK_BODY_FILE")
if file and file ~= "" then
  local handle = io.open(file, "rb")
  wrk.method, wrk.body = "POST", handle:read("*a")
  handle:close()
end
function done(summary)
  local errors = summary.errors
  io.write(string.format('\nRESULT {"requests": %d, "seconds": %f, "refused": %d, "broken": %d}\n',
    summary.requests, summary.duration / 1e6, errors.status, errors.connect + errors.read + errors.write + errors.timeout))
end

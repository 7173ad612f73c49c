-- Asks the sign-in service whether a request may pass: http-request lua.ask http://127.0.0.1:3000/ask
--
-- 200 with `X-Auth-Decision: permit`: the request gets the identity headers, and the response what haproxy.cfg makes of txn.auth_*.
-- From 300 on: the client gets that answer. Another server's 200, no answer at all, or an error in here: haproxy.cfg answers 503,
-- because there is no txn.auth_permit.

local IDENTITY = { "x-auth-subject", "x-auth-email", "x-auth-organization", "x-auth-session" }

-- Of the client's request: about its body or its connection, not about who asks. The answer comes uncompressed.
local NOT_ASKED = {
    ["accept-encoding"] = true, ["connection"] = true, ["content-length"] = true, ["expect"] = true,
    ["keep-alive"] = true, ["proxy-connection"] = true, ["te"] = true, ["trailer"] = true,
    ["transfer-encoding"] = true,
    -- haproxy.cfg has left a WebSocket's alone. By HTTP/2 that has no key yet.
    ["upgrade"] = true,
}
-- Of the answer: about its connection. HAProxy writes its own.
local NOT_ANSWERED = {
    ["connection"] = true, ["content-length"] = true, ["keep-alive"] = true, ["transfer-encoding"] = true,
}

local function end_with(txn, status, headers, body)
    local reply = txn:reply()
    reply:set_status(status)
    for name, values in pairs(headers) do
        for _, value in pairs(values) do
            reply:add_header(name, value)
        end
    end
    reply:set_body(body)
    txn:done(reply)
end

core.register_action("ask", { "http-req" }, function(txn, url)
    local headers = {}
    for name, values in pairs(txn.http:req_get_headers()) do
        if not NOT_ASKED[name] then
            headers[name] = {}
            -- Counted from 0 here.
            for i = 0, #values do
                table.insert(headers[name], values[i])
            end
        end
    end
    headers["x-forwarded-method"] = { txn.sf:method() }
    headers["x-forwarded-uri"] = { txn.sf:pathq() }

    local answer = core.httpclient():get({ url = url, headers = headers, timeout = 10000 })
    local status = answer and tonumber(answer.status) or 0
    local decision = answer and answer.headers and answer.headers["x-auth-decision"] or {}
    if status == 200 and decision[0] == "permit" then
        for _, name in ipairs(IDENTITY) do
            txn.http:req_del_header(name)
            for _, value in pairs(answer.headers[name] or {}) do
                txn.http:req_add_header(name, value)
            end
        end
        if answer.headers["x-auth-session"] then
            txn:set_var("txn.auth_session", true)
        end
        for _, value in pairs(answer.headers["vary"] or {}) do
            txn:set_var("txn.auth_vary", value)
        end
        for _, value in pairs(answer.headers["set-cookie"] or {}) do
            txn:set_var("txn.auth_cookie", value)
        end
        -- Last: what fails above is no permit.
        txn:set_var("txn.auth_permit", true)
    elseif status >= 300 and status <= 599 then
        local kept = {}
        for name, values in pairs(answer.headers) do
            if not NOT_ANSWERED[name] then
                kept[name] = values
            end
        end
        -- An answer to HEAD has no body.
        end_with(txn, status, kept, txn.sf:method() == "HEAD" and "" or answer.body or "")
    end
end, 1)

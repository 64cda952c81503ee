# Unsafe on purpose: no cookie is looked at, no header believed, and everything kept for half a minute.
vcl 4.1;
import std;

backend origin {
    .host = "{{ origin.host }}";
    .port = "{{ origin.port }}";
}

sub vcl_recv {
    set req.http.X-Forwarded-For = client.ip;
    if (req.http.X-Request-ID !~ "^[A-Za-z0-9-]{1,64}$") {
        set req.http.X-Request-ID = "edge-" + std.time2integer(now, 0) + "-" + req.xid;
    }
    if (req.method != "GET" && req.method != "HEAD") {
        return (pass);
    }
    return (hash);
}

sub vcl_backend_response {
    unset beresp.http.X-Request-ID;
    unset beresp.http.Cache-Control;
    set beresp.ttl = 30s;
    return (deliver);
}

sub vcl_deliver {
    if (obj.hits > 0) {
        set resp.http.Cache-Status = "{{ name }}; hit";
        std.log("cache:hit");
    } else {
        set resp.http.Cache-Status = "{{ name }}; fwd=uri-miss; stored";
        std.log("cache:miss");
    }
    set resp.http.X-Request-ID = req.http.X-Request-ID;
}

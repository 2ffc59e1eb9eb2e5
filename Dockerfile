FROM python:3.12-slim AS build
WORKDIR /src
RUN python -m venv /opt/rackwright
COPY pyproject.toml README.md LICENSE ./
COPY operator operator
COPY drivers drivers
RUN pip wheel --no-cache-dir --no-deps --wheel-dir /wheels . \
 && /opt/rackwright/bin/pip install --no-cache-dir --compile /wheels/*.whl

FROM python:3.12-slim
COPY --from=build /opt/rackwright /opt/rackwright
# The user has no entry in /etc/passwd, and the SSH library asks for the name and the home of whoever runs it.
ENV PATH=/opt/rackwright/bin:$PATH \
    LOGNAME=rackwright \
    HOME=/tmp \
    PYTHONDONTWRITEBYTECODE=1 \
    PYTHONUNBUFFERED=1
USER 65532:65532
WORKDIR /tmp
EXPOSE 8080
ENTRYPOINT ["rackwright"]
CMD ["run"]
